/** What customers say beside the facts, in five moods from hostile (0) to delighted (4). */
export const CUSTOMER = {
  /** Before or after a fact. */
  tint: [
    [
      "[Honestly|Frankly], this is [a waste of my time|getting ridiculous].",
      "[You'd know that if you'd listened|I've already told your colleague all this], which is [really annoying|infuriating].",
      "I'm [sick|tired] of explaining this [again and again|to every salesman].",
      "I don't [see|understand] why you even need to know that, [it's irritating|and I don't like it].",
    ],
    [
      "[Not that it helps|Not that anyone cares].",
      "I'm not sure [where this is going|why that matters].",
      "[It's not great|I'm not proud of it], [but there you are|as you can tell].",
      "[I doubt|I don't think] you can [do|change] much about that.",
    ],
    [
      "[So, that's how it is|That's about it].",
      "[Does that help|Is that what you mean]?",
      "[If that makes sense|You get the idea].",
      "[It's been like that for years|That's normal here].",
    ],
    [
      "[That's a good question|Good question], [actually|by the way].",
      "[I'm glad you ask|Nice that you ask].",
      "[I'd be happy to improve that|It would be good to make that better].",
      "I [like|appreciate] how you [ask|go about this], thanks.",
    ],
    [
      "You [really understand|clearly know] our business, [that's great|I love that].",
      "[It's such a pleasure|It's so nice] to talk to somebody who listens.",
      "[What a good question|That's an excellent question], nobody has ever asked us that.",
      "I'm [so glad|really happy] we're talking about this!",
    ],
  ],
  /** After a pitch or an answer. */
  react: [
    [
      "[No|Look], that's [nonsense|rubbish], [it doesn't solve anything|and you know it].",
      "You're not [listening|hearing me]. [That's not what I asked|I said something completely different].",
      "[I've heard that before|Same old story], and it was [a lie|a disaster] then too.",
      "That's [terrible|awful], [honestly|I have to say]. I'm [getting angry|losing patience] here.",
      "Stop [selling|pushing] [for a second|please]. I [hate|can't stand] being [rushed|talked over].",
    ],
    [
      "[Hm|Well], I'm not [convinced|sure about that], [to be honest|sorry].",
      "[I see|Okay]. It doesn't [really fit|solve it], [I'm afraid|for us].",
      "[Maybe|Possibly]. [We've managed without it so far|I don't really see the need].",
      "[That's not|It isn't really] what I was [after|looking for].",
      "[I'd rather not|Thank you, but I don't think so].",
      "[It seems complicated|Sounds like a lot of work] to me.",
    ],
    [
      "[Okay|Right]. [I'd have to think about that|Let me write that down].",
      "[I see|Understood]. [And that's included|Is that standard]?",
      "[Fine|Okay], [so far I follow|that's what I expected].",
      "[Mm|Hm], [interesting|okay]. [Go on|What else].",
      "[That could work|It depends], [I'd need to see it|depending on the details].",
    ],
    [
      "[That's good|Okay, good], [I like that|that would help us].",
      "[Oh, that's useful|That's helpful], [thanks for explaining|thank you].",
      "[Yes, nice|That makes sense], [our team would like that|that sounds good].",
      "[Good to know|I like the sound of that]. [That's a clear improvement|That would be better than today].",
      "[Right, yes|Yes], that [fits well|would be a nice step forward].",
    ],
    [
      "[Oh wow|Wow], that's [fantastic|amazing], [exactly what we need|I love it]!",
      "[That's brilliant|Brilliant], [honestly|really], I'm [impressed|delighted].",
      "[Perfect|Wonderful], [thank you so much|that's such good news]!",
      "I [love|absolutely love] that, [it would make everyone here so happy|this is great].",
      "[You've made my day|That's the best thing I've heard all week], [seriously|thank you]!",
    ],
  ],
  /** A second sentence after a reaction. */
  tail: [
    [
      "{short} [is costing|costs] us [money and nerves|a fortune], and you [read me a brochure|give me slogans], [it's maddening|I find that insulting].",
      "{boss} will [laugh|be furious] when I [tell that|report this], and [rightly so|I don't blame anyone].",
      "[I expected|We expected] a lot better from {product}, [this is a bad joke|what a disappointment].",
      "At {company} we'd [be ashamed of|never get away with] [service|a pitch] like that, {agent}.",
    ],
    [
      "With {short} we've been [let down|disappointed] [before|too often].",
      "I [doubt|don't think] {boss} would [like|accept] that.",
      "For {count} {unit} that's [more trouble than it's worth|not worth the effort], [I think|I'm afraid].",
      "{company} is [too small|not the right kind of company] for [that|such things], [unfortunately|I fear].",
      "It doesn't [really|honestly] help me with {short}, though.",
    ],
    [
      "[And for|What about] {short}, [is it the same|how would that look]?",
      "{boss} [will ask|would ask] me [about|for] [the details|an example from {industry}].",
      "[With|At] {count} {unit} [I'd have to see|it depends], of course.",
      "[At {company} that would be|That would be for us] a [change|different way of working].",
      "And {system} [stays|wouldn't change], [I take it|I assume].",
    ],
    [
      "With {short} that would [really help|be a relief], [yes|I think so].",
      "{boss} will [like|be pleased about] that, [especially for {short}|I'm fairly sure].",
      "[The team at|Everyone at] {company} would be [happier|glad] with that.",
      "[I can see that working|It would work nicely] for the {count} {unit}.",
      "[It's good|Nice] that it goes with {system}, too.",
    ],
    [
      "{boss} will be [thrilled|so happy] about {short}, [I can tell you|really]!",
      "[The whole of|Everyone at] {company} is going to [love|enjoy] this!",
      "To have {short} [sorted|solved] at last, [what a relief|that would be wonderful]!",
      "For our {count} {unit} that's [simply perfect|the best solution I've seen], {agent}!",
    ],
  ],
  price_reply: [
    [
      "[What|How much]? That's [outrageous|ridiculous], [honestly|for what it does].",
      "[You can't be serious|Are you joking]? [That's robbery|I'm not paying that], {agent}.",
    ],
    [
      "[Hm|Oh]. That's [more than I'd thought|steep], [I'm afraid|to be honest].",
      "[I don't think|I doubt] {boss} will [pay|accept] that.",
      "[That's a lot|That's not cheap] for {company}.",
    ],
    [
      "[Okay|Right], {price}. [I'll note that down|Let me write that down].",
      "[Is that|And that's] with [support|tax], or [without|on top]?",
      "[Okay|Hm], [that's about what I expected|I'd have to compare that].",
    ],
    [
      "[That's fair|That seems fair], [I expected more|that's within our budget].",
      "[Okay, good|Good], {total} is [reasonable|a sensible number] for {count} {unit}.",
    ],
    [
      "[Is that all|Only that]? [That's great value|Wonderful], [I was afraid of a lot more|what a nice surprise]!",
      "[Oh, that's great|Perfect], [we can easily do that|{boss} will be delighted with that]!",
    ],
  ],
  confirm: [
    [
      "[More or less|If you say so]. [It doesn't make it better|I'm still annoyed].",
      "[At least you've been writing|Well, you listened for once]. [Get on with it|Carry on].",
    ],
    [
      "[More or less|Roughly], [yes|I suppose].",
      "[Yes, I said that|That's what I said]. [I still have doubts|I'm not convinced, mind].",
    ],
    [
      "[Yes, that's right|That's it|Correct].",
      "[Yes|Right], [nothing to add|that covers it|you've got it].",
      "[That's about it|Pretty much], [and the date matters|yes].",
    ],
    [
      "[Yes, exactly|That's exactly it], [well summed up|thank you].",
      "[Yes, good|Right], [I like how you've put that|that's a clear summary].",
    ],
    [
      "[Perfect|Spot on], [you've really listened|I couldn't have said it better]!",
      "[Wonderful|Exactly], [that's a great summary|you've understood us completely]!",
    ],
  ],
  closed_answer: [
    [
      "Yes. [And|So what]?",
      "[No|Obviously not]. [Next question|What's the point of this]?",
      "[You should know that|It says so on our website], [really|shouldn't you]?",
    ],
    [
      "Yes.",
      "[No|Not really].",
      "[More or less|I'd have to check], [why|is that important]?",
      "[I suppose so|As far as I know].",
    ],
    [
      "Yes, [that's right|we do|it is].",
      "[No, not at the moment|Not really, no].",
      "[More or less|Roughly], yes.",
      "[Partly|Some of it]. [It's complicated|It varies].",
    ],
    [
      "Yes, [exactly|that's right], [well informed|you've done your homework].",
      "[Yes, thankfully|Yes, luckily].",
      "[Not yet|No, not yet], but [we'd like that|it would be nice].",
    ],
    ["Yes, [spot on|exactly], [well done|how did you know]!", "[Yes indeed|Absolutely], and we're [proud|glad] of it!"],
  ],
  /** The objection was met. */
  settled: [
    [
      "[Fine|All right]. [I still don't like it|I'm still not happy], but it's an answer.",
      "[At least that's honest|Well, at least you answered]. I'm still [annoyed|unhappy] about the rest.",
    ],
    [
      "[Okay|Hm]. That's [a bit better|something], [I suppose|I have my doubts].",
      "[We'll see|I'll believe it when I see it]. [But okay|All right].",
    ],
    [
      "[Okay, that's fair|Fair enough]. [That works for me|I can live with that].",
      "[Right|Okay], [that answers it|then that's clear].",
    ],
    [
      "[That's fair, thank you|Good answer], [that helps|I feel better about it].",
      "[Yes, that's reasonable|I appreciate that], [good|I like that way of doing it].",
    ],
    [
      "[Oh, that's great|Perfect], [that was my only worry|you've taken a load off my mind], thank you!",
      "[I really appreciate that|That's so fair], [I couldn't ask for more|wonderful].",
    ],
  ],
  /** It was not. */
  unsettled: [
    [
      "[That's no answer|You haven't answered me], [and it's insulting|it's really frustrating].",
      "[Do you even listen|Are you serious]? [That's exactly the kind of talk I hate|This is ridiculous].",
      "I asked you a [simple|clear] question and I get [nonsense|a slogan], that makes me [angry|furious].",
    ],
    [
      "[That doesn't help me|That isn't really an answer], [I'm afraid|sorry].",
      "[Hm|Well]. That's not what [worries me|I asked].",
      "[I'm not comfortable with that|That leaves me with doubts].",
    ],
    [
      "[Okay|Hm]. [I'd still need an answer to that|That's still open for me].",
      "[Right|Hm], [I'll have to look into it myself|let's leave it there].",
    ],
    [
      "[Well, I like the rest|The rest sounds nice], but [that's still open|I'd need more on that].",
      "[No hard feelings|It's all right], but [that didn't quite answer it|I'd still want to know].",
    ],
    [
      "[Ha|Oh well], [I'm sure we'll find a way|it won't stop us], I like it too much!",
      "[Never mind|It's fine], I'm [happy|excited] enough to [sort that out|solve that] with {boss}.",
    ],
  ],
  /** Pushing through after being cut off. */
  cut_off: [
    [
      "Would you [let me finish|please stop interrupting]? [That's so rude|It's incredibly annoying].",
      "[I was talking|I hadn't finished]. [Unbelievable|This is so unpleasant].",
    ],
    ["[I wasn't finished|As I was saying], [but fine|never mind].", "[Can I finish|Let me finish], please."],
    [
      "[Well|Yes], what I meant was [something else|a bit different].",
      "[Sorry, let me just finish|If I may finish] that thought.",
    ],
    [
      "[Ha, okay|Sure], [but let me just finish|one more thing on that].",
      "[Yes, well|Okay], I [nearly had it|was about to say the same].",
    ],
    ["[Ha|Oh], you're as [excited|keen] as I am!", "[No worries|Go on], I like the [energy|enthusiasm]!"],
  ],
  backchannel: ["Mm-hm.", "Okay.", "Right.", "Yeah.", "Mm.", "Sure.", "Uh-huh."],
  disfluency: ["Um,", "Well,", "So,", "I mean,", "Yeah,", "You know,", "Look,"],
} as const;
