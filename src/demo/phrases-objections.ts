/** Objections: how they are raised, met well, brushed aside, and what the customer says then. */
export interface Objection {
  readonly raise: readonly string[];
  readonly good: readonly string[];
  readonly weak: readonly string[];
}

export const OBJECTION_KINDS = [
  "price",
  "timing",
  "competitor",
  "authority",
  "trust",
  "integration",
  "security",
  "contract",
] as const;
export type ObjectionKind = (typeof OBJECTION_KINDS)[number];

export const OBJECTIONS: Readonly<Record<ObjectionKind, Objection>> = {
  price: {
    raise: [
      "{total} a month is [more than we|a lot more than I] had in mind for {count} {unit}.",
      "[I'll be straight with you|Honestly], {price} {per} is [too much|over our budget].",
      "That's [expensive|a big number]. [We budgeted half of that|I had something around half in mind].",
      "[I don't see|Where am I supposed to find] another {total} a month, [not this year|with costs as they are].",
      "[How am I going to|I can't] explain {price} {per} to {boss}.",
    ],
    good: [
      "[That's fair|I understand]. Compared to what, [if I may ask|the budget or another offer]? [Because|I ask because] you put {short} at [quite a bit more|several times that] a year, and this would [pay for itself|be back] within [seven|nine] months.",
      "Let's [look at|go through] it together: you told me what {short} costs today. If we only win back a third of that, the {total} is covered. [Which part of that sum would {boss} doubt|Where do you see that differently]?",
      "I won't [argue|push you] on the number. What we can do is start with [half|one team] of the {count} {unit}, measure it for [three months|a quarter], and you decide then with real figures.",
      "[Thanks for saying it|Good that you say it]. If the price were the same as [today|what you pay now], would it be the right [solution|choice]? Then let's [talk about|look at] the terms, quarterly payment [for example|would be one way].",
    ],
    weak: [
      "[Well|Okay], I can [do|give you] twenty percent off, [how's that|if you sign today].",
      "[It's not expensive|That's not a lot], not for what you get. [Others charge more|You get what you pay for].",
      "[Everyone says that|Hm], and then they buy it anyway.",
      "[That's the price|I can't change the price], [I'm afraid|it comes from head office]. So, [shall we go on|anyway].",
    ],
  },
  timing: {
    raise: [
      "[This isn't the moment|It's a bad time], we're [in the middle of an office move|short of people] until {month}.",
      "Can we [talk about|look at] this again in {month}? [There's too much going on|I've got no capacity].",
      "[We've|I've got] two other projects [running|open], [I can't start a third|and nobody free for a third].",
      "[Not this quarter|Not before {month}], [I'm sorry|that's certain], [it's our peak season|everyone's on holiday].",
    ],
    good: [
      "[That makes sense|Understood]. What has to be finished before {month} so that you could start? [I'd plan backwards from there|Then we put the date after that], and until then you need [one hour|two hours] of work from your side, no more.",
      "I don't want to [add to the pile|make it worse]. Would it help if [our people|we] did the preparation now, and you [switch over|begin] in {month}? [You'd lose no time, and no one would notice|That way nobody on your side is tied up].",
      "[Fair enough|I hear you]. What does waiting until {month} cost with {short}, [going by your own number|from what you told me]? If it's small, [let's wait|I'd wait too]. If not, a [small|light] start might be [worth it|wiser].",
    ],
    weak: [
      "But the [offer|promotion] [ends|runs out] this month, so you'd [lose|miss] the discount.",
      "[It's really quick|It takes no time], [honestly|everyone has the time for that].",
      "[Okay|Fine], I'll [just call again|try you again] [some time|in the summer].",
      "There's never a good time, [is there|you know]. So you [may as well|might just] do it now.",
    ],
  },
  competitor: {
    raise: [
      "We're also talking to {competitor}, and [they're cheaper|their offer is lower].",
      "[I've seen|We had a demo of] {competitor} [last week|on Tuesday]. [What do you do that they don't|Why you and not them]?",
      "[We've been with|We use] {competitor} [for four years|already], and [changing is a hassle|it's not perfect, but it runs].",
      "A friend [in the trade|of mine] uses {competitor} and [says it's fine|has no complaints].",
    ],
    good: [
      "{competitor} is a good [company|product], [I'd never run them down|and for small teams they're strong]. What did you like [there|about it]? The difference our customers name is {short}: [ask them how they do that|put that question to both of us].",
      "[Good|Sensible], you should compare. [May I suggest|I'd take] three points to test in both: {short}, {short2}, and how it works with {system}. [I'll send you the list|Then you see it yourself].",
      "If it [runs|works], there should be a [good|real] reason to change. You said {short} is [still open|still a problem] with {competitor}. How much would it be worth to have that [gone|solved]?",
    ],
    weak: [
      "{competitor}? [Oh no|Seriously], they're [terrible|going bust], I wouldn't [touch them|go near them].",
      "[Well|Yeah], we're just better, [everybody knows that|look at the reviews].",
      "I can [match|beat] their price, [whatever it is|no questions asked].",
      "[I don't really know|I've not looked at] {competitor}, [to be honest|so I can't say].",
    ],
  },
  authority: {
    raise: [
      "I can't [decide|sign] that alone, {boss} [has the last word|has to agree].",
      "[That would go|It has to go] to {boss} first, and [they're careful with money|that takes a while].",
      "[It's not my call|I only collect the offers], {boss} [decides|makes the decision].",
      "[I'm for it|Personally I'd say yes], but {boss} [sees it differently|is hard to convince].",
    ],
    good: [
      "[Of course|That's normal]. What will {boss} [look at first|want to know], the cost or the risk? [I'd write you one page with exactly that|Let me prepare one page that answers it], and we could [take ten minutes|sit down] together, the three of us.",
      "Who else [has a say|should be heard], apart from {boss}? [Then let's|I'd suggest we] bring them in early, so you don't have to [sell it|defend it] for me.",
      "How did {boss} decide the last time you bought something like this? [Then we follow that path|That tells us what to prepare].",
    ],
    weak: [
      "[Can't you|Could you] just [sign it|decide it] yourself? [It's not that much money|It's a small amount].",
      "[Okay|Right], then [just tell {boss}|let {boss} know] it's really good.",
      "[Hm|Oh]. So [should I|can I] talk to {boss} instead [of you|then]?",
    ],
  },
  trust: {
    raise: [
      "[I've never heard of Northbeam|I don't know you]. How do I know you'll be [around|there] in [three|five] years?",
      "We were [promised|told] all that before, and it [didn't happen|came to nothing].",
      "[On the phone everything works|It always sounds good on the phone]. [And afterwards|What happens after I sign]?",
      "[Who|Is there anyone like us who] actually uses this? [I don't want to be the guinea pig|I won't be your test case].",
    ],
    good: [
      "[Understandable|I'd ask that too]. What went wrong [last time|back then], so that I know what [not to repeat|to look out for]? And I'd give you [two|three] customers in {industry} to call, without me on the line.",
      "Don't [believe|trust] me, try it. [Thirty|Sixty] days with [ten|five] of your {count} {unit}, and if {short} isn't [clearly better|improved], you send it back and [pay nothing|owe us nothing].",
      "[You're right to ask|Good]. We put it into the contract: response within [two|four] hours, and if we [miss|fail] it, the month is free. [Would that help|What else would you need to see]?",
    ],
    weak: [
      "[We're|Northbeam is] number one in the market, [you can trust us|no need to worry].",
      "I've been here [four months|since the spring] and I've never had a complaint.",
      "[That was|Those were] the others. With us it's different, [I promise|believe me].",
    ],
  },
  integration: {
    raise: [
      "It has to [work with|talk to] {system}, [otherwise it's no use|or I can forget it].",
      "[What about|How does this go with] {system}? [We won't give that up|That stays].",
      "Our IT says nothing [connects|links] to {system} [without trouble|properly].",
      "[The last tool|The previous one] didn't [get along with|connect to] {system}, and we typed everything twice.",
    ],
    good: [
      "[Good point|Important]. We have [forty|about sixty] customers who run it with {system}. Which data has to flow, and in which direction? I'd [show you that live|let our engineer look at it] before you decide anything.",
      "[It does|Yes], there's a ready connection for {system}, and we test it with your [own data|real data] in the trial. If it [fails|doesn't hold], we [stop|end it] there.",
      "I don't know your version of {system}, so I'd rather [check|ask our engineer] than promise. You [have|get] a written answer by {day}. [Who on your side knows it best|Who should we talk to on your side]?",
    ],
    weak: [
      "[Yeah|Sure], it [integrates|works] with everything, [pretty much|I think].",
      "[You could|Most people just] export it to Excel and [import it|type it in] again.",
      "[That's something for|Ask] the technical team, [later|after you've signed].",
    ],
  },
  security: {
    raise: [
      "Where [is|does] our data [kept|sit]? [Our customers would ask|We've got strict rules].",
      "[I don't like|I'm not comfortable with] our data on somebody else's [servers|computers].",
      "What happens to [our data|all this information] if you're hacked?",
      "[The privacy people|Our data protection officer] will [want to see|ask for] a lot of paper.",
    ],
    good: [
      "[You should ask that|Rightly so]. It's stored in your region, encrypted, and we're audited every year, you'd get the report [today|this afternoon]. What does your [data protection officer|side] [need besides|usually ask for]?",
      "We [see|read] nothing of the content, access is logged, and you can [pull|delete] everything any day. [I'd bring our security lead along|Shall I bring our security lead] to the next call to go through it?",
      "In [twelve|eleven] years we had one incident, and we [wrote to every customer|told everyone] within a day. [I'll send you|You can read] that report too, I think it [says more|tells you more] than a certificate.",
    ],
    weak: [
      "It's in the cloud, [so it's safe|the cloud is super safe].",
      "[Nobody's ever asked me that|I don't think that's an issue], [honestly|for a company your size].",
      "We have [a certificate|some certificates], [I think|it's on the website somewhere].",
    ],
  },
  contract: {
    raise: [
      "[Three|Two] years is [too long|a long time] for us. [I won't be tied down|We want to stay flexible].",
      "What if we [shrink|need fewer {unit}]? [I won't pay for empty ones|Do we still pay for {count}].",
      "[How do I get out|What's the notice period] if [it doesn't work|we're not happy]?",
      "I've read the [small print|terms], and the [automatic renewal|price increase clause] [bothers me|isn't acceptable].",
    ],
    good: [
      "[I understand|Fair point]. What term would you [feel comfortable|sleep well] with? One year with a break after six months is possible, [and I'd put it in writing|the price stays the same].",
      "You can go down by [twenty|fifteen] percent every quarter, without a penalty. [Is that enough|How much do your numbers swing] over the year?",
      "Then we [strike|take out] that clause, [I have the authority for it|legal has agreed to that before]. What else in the terms should we [settle|go through] while we're at it?",
    ],
    weak: [
      "[It's our standard contract|Everyone signs that], [I can't do anything about it|it's no big deal].",
      "[Nobody reads that|Don't worry about the small print], [we're flexible|we always find a way].",
      "[You won't want|Nobody wants] to leave [anyway|once they have it].",
    ],
  },
};
