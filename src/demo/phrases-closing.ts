/** How calls end: the next step, the decision, the farewell. Customer lists in five moods. */
export const CLOSING = {
  agree_step: [
    "[So|Then] [let's|I'd suggest we] fix the next step: {day} at {hour}, [thirty minutes|half an hour], with {boss}, and I bring the figures for {short}. [Does that work|How does that suit you]?",
    "What would be a [sensible|good] next step for you? [I'd propose|My suggestion is] a trial with [ten|five] of the {unit} from {day}, and we talk again [two weeks later|at the end of {month}].",
    "I'll send you the summary [today|by five o'clock], with the answer on {system}, and we [meet|speak] on {day} at {hour}. [Shall I send the invitation|Can I put that in the calendar]?",
    "[Then I'd do this|Here's what I'd do]: contract by mail [tonight|tomorrow], kick-off on {day}, and your first {unit} are live in {month}. [Who should be there on your side|Who do I invite from your side]?",
  ],
  accept_step: [
    [
      "[If you must|Fine]. {day}, but [be prepared this time|no more slides], please.",
      "{day} then. [I'm not promising anything|And I expect real answers].",
    ],
    [
      "[I suppose|All right], {day} is possible. [Keep it short|Half an hour, no more].",
      "[You can send it|Send it], I'll [have a look|see].",
    ],
    [
      "{day} at {hour} [works|is fine]. [Send the invite|I'll tell {boss}].",
      "[Yes, do that|Okay], [I'll bring {boss}|I'll ask {boss} to join].",
    ],
    [
      "[Good|Yes], {day} at {hour} [suits me well|is good], [I'll bring {boss} along|thank you].",
      "[I like that plan|That's a good plan], [put it in the calendar|send me the invite].",
    ],
    [
      "[Perfect|Great], {day} it is, [I can't wait|I'm looking forward to it]!",
      "[Yes, please|Wonderful], {day} at {hour}, [everyone will be excited|I'll tell {boss} right away]!",
    ],
  ],
  no_step: [
    "[Okay|So], [I'll send you some stuff|I'll mail you a brochure] and [you have a think|you can have a look], [yeah|all right]?",
    "[Right|Well], [just let me know|give me a shout] [when|if] you've decided [something|what you want].",
    "[Okay then|Cool], [we'll be in touch|I'll try you again sometime].",
    "[Well|Right], I've got another call now, [so think about it|so, yeah].",
  ],
  no_step_reply: [
    [
      "[Don't bother|No]. [Take me off your list|Don't call again], please.",
      "[I've wasted enough time|I'm done here]. [Goodbye|No thanks].",
    ],
    [
      "[We'll see|You can send it]. [I wouldn't count on it|Don't expect much].",
      "[I'll think about it|Maybe], [but I doubt it|I can't promise anything].",
    ],
    ["[Okay|Fine], [I'll have a look|send it over].", "[Sure|All right]. [We'll see|I'll be in touch if anything]."],
    [
      "[Yes, do that|Sure], [I'll read it|thanks], [it was interesting|I enjoyed the talk].",
      "[Okay, thanks|Fine, thank you], [it sounds good in general|I'll show it around].",
    ],
    [
      "[Please do|Yes, send it], [I'm really interested|I'd love to read more]!",
      "[Great|Lovely], [I'm already a fan|I like it a lot], [thank you|so send me everything]!",
    ],
  ],
  won: [
    [
      "[All right|Fine], [send the contract|we'll sign]. But [if this goes wrong I'm gone|I'm not happy about the price], and I [want that on record|mean it].",
      "We'll take it, [because we have to|there's no better option]. [I'm still annoyed|Don't disappoint me].",
    ],
    [
      "[Okay|Well], [let's do it|send me the paperwork]. I'm [still a bit sceptical|not completely sure], [but we need something|so keep your promises].",
      "[We'll try it|Fine, we'll go ahead], [for a year|with the short contract]. [Let's see|We'll see how it goes].",
    ],
    [
      "[Okay, we'll go ahead|Let's do it], [send me the contract|please mail the papers to me and {boss}].",
      "[All right, I'm in|Good, we'll take it], for the {count} {unit}. [Where do I sign|What do you need from me]?",
    ],
    [
      "[Good|Yes], [we'd like to go ahead|we'll take it], [I'm happy with that|it's a good deal for us].",
      "[You've convinced me|I'm convinced], [let's start in {month}|send me the contract], [thank you|good work].",
    ],
    [
      "[Yes|Absolutely yes]! [Let's do it|We're in], [I'm so happy with this|it's exactly right for us], [thank you|wonderful]!",
      "[I'm thrilled|We're delighted], [send me the contract|let's sign today], [this is going to be great|you've been brilliant]!",
    ],
  ],
  lost: [
    [
      "[No|Listen], [it's a no|we won't be doing this]. [This call was a waste of time|I'm really unhappy with how this went], [and I'll tell your boss so|so please don't call again].",
      "[We're done|That's it for me]. I've [rarely|never] had such a [bad|terrible] [call|conversation], [we'll go with {competitor}|forget it].",
      "[Not a chance|Absolutely not]. [It's too expensive and you don't listen|Nothing about this is any good], [goodbye|I'm hanging up now].",
    ],
    [
      "[I think we'll leave it|We'll pass], [thank you|thanks anyway]. [It isn't right for us|It's not what we need].",
      "[I'm afraid it's a no|We've decided against it]. [We'll stay with what we have|{competitor} is the safer choice for us].",
      "[I don't think this is for us|It's not going to happen], [sorry|to be honest].",
    ],
    [
      "[We're going with|It'll be] {competitor}. [Nothing personal|It's a matter of price], [you understand|that's all].",
      "[It's a no for now|Not this time]. [The budget isn't there|{boss} has put a stop on spending].",
    ],
    [
      "[You've been very kind|I liked talking to you], [but it's a no|but we'll stay with what we have]. [Thanks for your help|Thank you for the effort].",
      "[It's a good product|I like it], but [we can't this year|{boss} said no]. [I appreciate your time|Thank you anyway].",
    ],
    [
      "[I loved your presentation|You were great], [honestly|really], but [{boss} has signed with {competitor}|the money's gone for this year]. I'd [recommend|suggest] you to anyone!",
      "[I'm so sorry|It's such a pity], I [really love|adore] it, but [we can't do it this year|the board said no]. You've been [wonderful|fantastic].",
    ],
  ],
  open: [
    [
      "[I'll let you know|I need to calm down and think], but [right now I'm not happy|as it stands it's poor].",
      "[No decision today|I'm not deciding that today], [certainly not like this|and stop pushing me].",
    ],
    [
      "[I'd have to think about it|We'll have to see]. [I'm not there yet|There are still doubts].",
      "[I can't say yet|It's too early], [honestly|and I'm not convinced].",
    ],
    [
      "[I'll discuss it with {boss}|Let me talk to {boss}] and [come back to you|then we'll see].",
      "[We'll decide in {month}|There'll be a decision by {month}], [not before|as I said].",
    ],
    [
      "[It looks good|I like it so far], [I need a few days|let me talk to {boss}].",
      "[Good talk|That was helpful]. [I'll take it to {boss}|I'm fairly positive], [give me until {day}|we'll decide soon].",
    ],
    [
      "[I'm really excited|I love what I've seen], I [just have to|only need to] [get {boss} on board|show it to {boss}]!",
      "[This was great|Brilliant], [from me it's a yes|I want this], [now it's up to {boss}|I'll push it through]!",
    ],
  ],
  agent_thanks: {
    won: [
      "[Great|Excellent], [welcome on board|thank you for your trust], {first}. [You'll have the contract tonight|The papers are on their way].",
      "[That's good news|I'm glad]. [I'll stay your contact|You keep my number], and [we'll make sure {short} gets better|I'll call you after the first week].",
    ],
    lost: [
      "[I understand|That's a pity, but I understand], {first}. [Thank you for being clear|Thanks for telling me straight]. [May I ask what tipped it|If anything changes, you've got my number].",
      "[Okay|Oh. Okay]. [Well, thanks anyway|Then I won't keep you], [bye|have a good day].",
    ],
    open: [
      "[Thank you|Thanks], {first}, [that was a good conversation|I've learned a lot]. [Have a good day|Speak soon].",
      "[All right|Okay then], {first}. [Thanks for your time|I'll leave you to it].",
    ],
  },
  bye: [
    ["[Goodbye|Bye].", "[Yes, bye|Right]."],
    ["[Bye|Goodbye], [then|now].", "[Okay, bye|Right, bye]."],
    ["[Thanks, bye|Okay, bye].", "[You too, bye|Speak soon, bye]."],
    [
      "[Thank you, {agent}|Thanks a lot], [have a good day|bye for now].",
      "[Thanks for the call|Thank you], [that was helpful|talk soon], bye.",
    ],
    [
      "[Thank you so much|Thanks so much], {agent}, [you've been wonderful|that was great], [bye|take care]!",
      "[It was a pleasure|This was lovely], [have a wonderful day|thanks for everything], bye!",
    ],
  ],
} as const;
