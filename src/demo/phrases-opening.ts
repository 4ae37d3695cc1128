/** How calls begin. Lists of templates; `cold` is a call the customer did not expect. */
export const OPENING = {
  agent_hello: {
    expected: [
      "[Hi|Hello|Good {daytime}] {first}, [it's|this is] {agent} from Northbeam. [Is now still a good time|Does this time still suit you|Are you still okay to talk]?",
      "{first}, [hi|hello], {agent} at Northbeam [here|speaking]. [Thanks for making the time|I appreciate you taking the call].",
      "[Hello|Hi] {first}, {agent} here, as [we said|we agreed] [on the phone|by mail]. [Can you hear me all right|Am I coming through okay]?",
      "[Good {daytime}|Hello], {first}. {agent} from Northbeam, [good to speak to you|nice to talk to you] [again|at last].",
      "Hi, is that {first}? [Great|Lovely], it's {agent}, [as arranged|for our call about {product}].",
    ],
    cold: [
      "[Hello|Hi], is that {first} {last}? My name is {agent}, I'm [calling|ringing] from Northbeam.",
      "Good {daytime} {first}, {agent} from Northbeam. [We haven't spoken before|You're not expecting my call].",
      "{first}? {agent} [here|speaking] from Northbeam, [the {product} people|we make {product}]. [Have you got a minute|Did I catch you at a bad time]?",
      "Hi {first}, {agent} [at|from] Northbeam. You downloaded our [guide|checklist] [last week|on Monday], so I thought I'd [call|ring].",
    ],
  },
  customer_hello: [
    [
      "[Yes|Yeah]? I really don't have [much time|time for this].",
      "You people [again|have called before]. [What is it|Make it quick], please.",
      "I've got [five|three] minutes, and [I'm already annoyed|it's been a terrible morning], so go ahead.",
    ],
    [
      "[Hello|Yes], I've got [ten|fifteen] minutes [and no more|before my next meeting].",
      "Oh. Right. [I'd forgotten about this|It was in the calendar, was it], go on.",
      "Hello. I [hope|trust] this won't take [too long|the whole hour].",
    ],
    [
      "[Yes|Hi], {first} [here|speaking]. [Go ahead|That's fine].",
      "[Hello|Hi] {agent}. Yes, [I can hear you|I have the time now].",
      "[Speaking|That's me]. [What can I do for you|How can I help]?",
      "[Hi|Hello]. [Let me just close the door|One second, I'll shut the door]. Okay.",
    ],
    [
      "Hi {agent}, [good to hear from you|nice to hear you]. [Yes, now is fine|This suits me well].",
      "[Hello|Hi], yes, perfect timing, [I've just got a coffee|I've just sat down].",
      "[Good {daytime}|Hello] {agent}, thanks for [calling|ringing], [I've been looking forward to it|this is a good time].",
    ],
    [
      "{agent}! [Lovely to hear from you|So good to talk to you], I was [hoping you'd call|just telling a colleague about you].",
      "Hi {agent}, [great|perfect], I'm really [glad we got a slot|happy you could do today]!",
    ],
  ],
  smalltalk: {
    agent: [
      "How's [your week|the week] [going|been] so far?",
      "How [are things|is business] at {company} [these days|at the moment]?",
      "Did you [have|get] a [good|decent] weekend?",
      "[Is it as wet|How's the weather] where you are?",
      "[I saw|I read] you've opened [a new site|another branch]. Congratulations.",
    ],
    customer: [
      [
        "Busy. [Can we get to the point|What's this about]?",
        "[Terrible|Awful], since you ask. What do you want to talk about?",
      ],
      ["[Busy|Full on]. [Shall we start|Let's get started].", "It's been [long|a slog], to be honest."],
      [
        "[Not too bad|Fine], [busy as always|the usual], thanks.",
        "[Okay|All right], it's [month end|our busy season], so you know.",
        "[Can't complain|Getting there]. You?",
      ],
      [
        "[Good|Pretty good], thanks, [the sun's out|we finally got a dry day]. [And you|How about yours]?",
        "[Really well|Very good], thank you, [busy in a nice way|we had a good month].",
      ],
      [
        "[Fantastic|Wonderful], we [won a big order|had our best month ever], [everyone's happy|the whole place is smiling]!",
        "Great, thanks, I'm in a really good mood today!",
      ],
    ],
  },
  agenda_skilled: [
    "[What I'd suggest|My idea] for the [next twenty minutes|call]: I ask you a few things about how {company} works today, and then we see together if {product} fits at all. [Sound fair|Does that work for you]?",
    "I'd like to understand your [side|situation] first, [then show you what others do|then we can look at options], and at the end we decide if there's a next step. [Is there anything you want to add|What else should be on the list]?",
    "I've read up on {company} a little, but I'd rather hear it from you. [Is it okay if I start with a few questions|May I start with some questions]?",
    "Before I tell you anything about {product}, [what would make this call worth your time|what would you like to get out of today]?",
  ],
  agenda_weak: [
    "So, [basically|um], I wanted to tell you about {product}, it's our [best seller|newest product], [and we've got an offer on|and people are mad about it].",
    "Right, so, I'll just [run|go] you through the whole {product} presentation, [it's about twenty slides|stop me if I'm too fast].",
    "I'm calling because we have a [special|promotion] on {product} until the end of the month, [so I thought of you|and I can do something on the price].",
    "Okay, so, let me [tell you|start with] who we are. Northbeam was founded in 2009, we have [four hundred|three hundred and fifty] people and [nine|eleven] offices.",
  ],
  agenda_reply: [
    [
      "[If we must|Fine], [but I've no patience for a long story|but get to the point].",
      "[I don't care about the agenda|Just get on with it], [my day is bad enough|please].",
    ],
    [
      "[Fine|All right]. [Keep it short|As long as it's quick].",
      "[I suppose so|If it helps], [I haven't got long|but I've got doubts already].",
    ],
    [
      "[Okay|Yes], [that's fine|go ahead].",
      "[Sure|Fine by me], [fire away|let's start].",
      "[Okay|Right], [I'm listening|let's see].",
    ],
    [
      "[Yes, good|Sounds good], [I like a plan|that works for me].",
      "[Good idea|That's nice], [go ahead|let's do that].",
    ],
    [
      "[Perfect|Great], [I'm curious|I can't wait to hear it]!",
      "[Lovely|Wonderful], [that's just what I was hoping for|ask me anything you like]!",
    ],
  ],
  cold_reply: [
    [
      "[How did you get my number|Who gave you my number]? [I hate these calls|This is really annoying].",
      "[Not another one|Oh no], [you're the third today|I get these every day], it's [infuriating|a plague].",
    ],
    [
      "[I'm not really looking for anything|We're not in the market], [to be honest|sorry].",
      "[Hm|Well], I doubt it's [for us|relevant], but [go on|you've got a minute].",
    ],
    [
      "[Okay|All right], [it does come up|it's a topic here too], [I suppose|now and then].",
      "[Hm, yes|Well], {short} [is something we deal with|does take time], [why|go on].",
      "[We've talked about that|It's on a list somewhere]. [Tell me more|Go on].",
    ],
    [
      "[Funny you should say that|Actually yes], {short} [is on my desk right now|came up this week]. [Good timing|I'm interested].",
      "[Oh, interesting|That's interesting], [go on|I'd like to hear that].",
    ],
    [
      "[You must be reading my mind|What good luck], [I wanted to call somebody about that|we're looking for exactly that]!",
      "[Great|Oh, perfect], {short} is [exactly my topic|the thing I want to fix], [I'm glad you called|how nice]!",
    ],
  ],
  cold_reason: [
    "[I work with|I look after] {industry} companies [around here|in your area], and most of them tell me {short} is [a sore point|the thing that costs them sleep]. [How is that for you|Is that something you see too]?",
    "The reason I'm calling: [three|two] firms like yours moved to {product} [this spring|this year] because of {short}. [I wondered|I was curious] how you handle it.",
    "I'll be [brief|honest], it's a cold call. [Thirty seconds|One minute], and then you tell me if it's [relevant|worth another minute].",
  ],
  followup: [
    "[Last time|When we spoke], you said {short} was the main thing, and you wanted to [talk it over|look at the numbers] with {boss}. [What came out of that|How did that go]?",
    "You've had the [quote|proposal] for a [week|few days] now. [What did you think|Where did you get to with it]?",
    "I sent over the figures [on Thursday|last week]. [What stood out|What questions came up], for you or for {boss}?",
  ],
  followup_reply: [
    [
      "I read it, and [to be honest|frankly] I was [annoyed|disappointed]. That's not what we'd discussed.",
      "{boss} [threw it straight back at me|was angry about the total], and [so was I|I can see why].",
    ],
    [
      "We looked at it. [I'm not convinced|There are some doubts], [to be honest|on our side].",
      "It [sat on the desk|was on the pile] for a while. {boss} [isn't keen|has doubts].",
    ],
    [
      "We've [gone through|read] it, and there are [two or three|a couple of] points [left|to clear up].",
      "{boss} has [seen it|it now], and [wants to understand|asked about] the {short} part.",
    ],
    [
      "Yes, we [liked|were pleased with] most of it, [just a couple of points|there's only a bit left to clear].",
      "[It was a clear proposal|Very clear, thanks], and {boss} [liked|was happy with] the {short} part.",
    ],
    [
      "We loved it, [honestly|really]! {boss} said it's the [best|clearest] proposal we've had [all year|from anyone].",
      "It went down [brilliantly|wonderfully] here, everybody is [excited|very happy].",
    ],
  ],
  renewal: [
    "You've been with us for [a year|two years] now, and the contract renews in {month}. [How has it been going|What's gone well, and what hasn't]?",
    "It's nearly time to renew {product}, so I wanted to [check in first|hear how it's really going] before any paperwork.",
    "I'm calling about the renewal in {month}. [How do you feel about {product} so far|What would you change about {product}]?",
  ],
  renewal_reply: [
    [
      "[Badly|Not well], if I'm honest. I've had [four|three] tickets open for [weeks|a month] and nobody [calls back|cares].",
      "I'm [fed up|really unhappy]. It was down [twice|three times] last month and your support was [useless|hopeless].",
    ],
    [
      "[Mixed|So-so]. {product} does the job, but support [is slow|disappoints us] and [it's expensive|we expected more].",
      "Could be better. [We don't use half of it|A few promises weren't kept].",
    ],
    [
      "It's [okay|all right], it does what it should, [mostly|more or less].",
      "[No drama|Nothing to report], it runs. We use [the basics|about half of it].",
    ],
    [
      "[Good|Well], the team [is happy|likes it], and {short} has [got much better|improved a lot].",
      "I'm pleased with it, {short} is [no longer a problem|much less of a worry].",
    ],
    [
      "It's been [fantastic|brilliant], [the best thing we bought|I'd never go back]. {short} is simply [solved|gone], thank you.",
      "We [love|absolutely love] it. I tell everyone [about you|in the association] how good it is!",
    ],
  ],
} as const;
