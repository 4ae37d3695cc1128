import type { Topic } from "./topic.ts";

export const PHONES: Topic = {
  id: "phones",
  product: "Clearline",
  unit: "lines",
  counts: [10, 220],
  price: [16, 34],
  per: "a line a month",
  competitors: ["TalkBridge", "Voxera", "Metrotel"],
  systems: ["Teams", "our booking software", "the door intercom"],
  industries: ["Estate Agents", "Vets", "Travel", "Garages", "Property", "Recruitment"],
  open_questions: [
    "What happens when a customer calls and everybody's [busy|on the phone]?",
    "How do people [take calls|answer the phones] when they're not at their desk?",
    "[Tell me|Talk me through] what your phone system looks like [now|today].",
    "How do you know how many calls you miss?",
    "What do callers complain about [most|when they get through]?",
    "How is the internet connection at the [branches|sites]?",
    "What made you think about changing the phones [now|this year]?",
    "How do new colleagues get a number and a phone?",
  ],
  links: [
    ["p0", "s1"],
    ["s4", "p2"],
    ["s0", "s2", "s3"],
    ["s6", "p0"],
    ["p0", "s2"],
    ["s5"],
    ["p1", "p3"],
    ["s4", "p3"],
  ],
  closed_questions: [
    "Are you still on copper lines?",
    "Do you have desk phones?",
    "So {count} {unit} in total?",
    "Is your contract up this year?",
    "Do you record calls?",
  ],
  situations: [
    "We've {count} {unit} over [five|three|seven] branches, and the switchboard is [from 2009|older than my children].",
    "Reception answers and [shouts across the room|puts people through], [basically|most of the time].",
    "The branches each have their own [contract|number], [so nobody can transfer a call between them|which is a mess].",
    "We're on copper, and [the letter about the switch-off|a letter from the telco] came in [January|the spring].",
    "Half the team use their own mobiles, [because it's easier|and the customers have the private numbers].",
    "The broadband is [fine in town|eighty megabit], and [slow|poor] at [the two country branches|the far site].",
    "There's voicemail, [which nobody checks|and it's usually full].",
    "Saturdays are our busiest day for calls, [and we have two people in|with half the staff].",
  ],
  pains: [
    {
      short: "the missed-call problem",
      said: [
        "We miss [a lot of|maybe a third of our] calls at lunchtime, [and people just ring the next firm|and they don't leave a message].",
        "Callers hear an engaged tone when [all the lines are|we're] busy, [in this day and age|would you believe it].",
      ],
      cost: [
        "One new client is worth [two|three] thousand to us, so you can do the [maths|sums].",
        "I think we lose [four or five|half a dozen] enquiries a week.",
      ],
      answer: [
        "Clearline queues callers, tells them their place and offers [to call back|a callback], so they don't [hang up|try the next firm].",
        "When a branch is busy, calls overflow to the next one, [in the order you set|and then to mobiles].",
        "You'd see every missed call on a list [at five o'clock|in the app], and who has [rung back|returned it].",
      ],
    },
    {
      short: "the copper switch-off",
      said: [
        "The copper lines are [being switched off|going], and [I don't know what that means for us|the alarm and the lift hang on them].",
        "[The telco|Our provider] told us we have until [next summer|December], [and then nothing|without saying what to do].",
      ],
      cost: [
        "If the phones are dead for a day, [we're closed|we may as well shut the door].",
        "We rely on those numbers, we've had them for [thirty|twenty-five] years.",
      ],
      answer: [
        "We move the numbers one branch at a time, both systems run in parallel [for a week|until you're happy], and nothing goes dead.",
        "We check every line first, [alarms, lifts and card machines too|including the ones you've forgotten], and give you a plan for each.",
      ],
    },
    {
      short: "the private mobile problem",
      said: [
        "When somebody leaves, their customers leave [with them|too], because the calls go to a private mobile.",
        "I can't see what was [said|agreed] on the mobiles, [and there was a complaint|and we had a dispute in May].",
      ],
      cost: [
        "The last [agent|colleague] who left took [about twenty|thirty] clients.",
        "We paid [six|four] thousand to settle that [one|dispute].",
      ],
      answer: [
        "Everybody gets the office number in an app on their own phone, so the customer only ever sees [the company|your number].",
        "Calls in the app can be recorded, with [an announcement|consent], and they stay with you when somebody [goes|leaves].",
      ],
    },
    {
      short: "the monthly bill",
      said: [
        "We get [five|seven] separate phone bills, and [no one understands them|I can't compare them].",
        "[Some of those|Half the] {unit} [aren't even used|belong to people who left], I'm sure of it.",
      ],
      cost: [
        "It's about [twenty-six|thirty-one] hundred a month, all in.",
        "We found [nine|fourteen] dead {unit} we'd paid for since [2021|two years].",
      ],
      answer: [
        "It'd be one bill with every line on it, calls included, and you switch a line off [yourself|with a click].",
        "I'd go through the [old bills|last three bills] with you, [and what's dead we don't move|we usually find ten percent that's dead].",
      ],
    },
  ],
  features: [
    "The app works on [laptop, mobile and desk phone|any device], with the same number everywhere.",
    "You can build a menu, [opening hours and holiday messages|with hours for each branch], without calling us.",
    "Calls are transcribed and summed up in three lines, [if you want that|with consent].",
    "There's a wallboard that shows waiting callers and who's free.",
    "If the internet fails, calls go to mobiles [within seconds|by themselves].",
    "Call quality is measured on every call, and [we fix it before you ask|you see it].",
    "International calls to [forty|thirty-eight] countries are included.",
  ],
  proofs: [
    "[A vet with four surgeries|A group of garages] went from missing [twenty-eight|thirty] percent of calls to [four|six].",
    "[An estate agency on the high street|A letting agent] cut the bill by a [third|quarter] because of the dead lines.",
    "We moved [eleven|nine] branches of a [travel agency|recruiter] in two weeks without one dead hour.",
  ],
  questions: [
    {
      ask: "Can we keep our numbers?",
      answer: [
        "All of them, yes. [Porting takes about ten days|We do the porting] and you notice nothing.",
        "Yes. The numbers are yours, by law, and we move them at the very end.",
      ],
    },
    {
      ask: "What if the internet [goes down|drops]?",
      answer: [
        "Then calls go to mobiles or another branch within [five|ten] seconds, you choose the order.",
        "There's a 4G backup box for [eleven|nine] dollars, or you let it ring on mobiles.",
      ],
    },
    {
      ask: "Do we need new phones?",
      answer: [
        "Most desk phones from after 2015 can be reused. [Many teams drop them|A lot of people end up with just a headset].",
        "Not if you're happy with the app. [I'd keep two at reception|Reception usually keeps theirs].",
      ],
    },
    {
      ask: "How [hard|difficult] is it for the older colleagues?",
      answer: [
        "We train every branch [on site|for an hour], and leave a card [beside the phone|with five things on it].",
        "It rings, they pick up. [The rest comes later|The clever things can wait].",
      ],
    },
  ],
  pleased: [
    "The queue with the callback is [great|a lovely idea], our callers would be so much happier.",
    "One bill, one number for everyone, [that's perfect|I love it].",
    "That was the [clearest|best] explanation of the switch-off anyone has given me, thank you.",
  ],
  displeased: [
    "Our last internet phones [crackled|cut out] all day, customers [complained constantly|hated it].",
    "I [waited|sat] four hours on a telco hotline [this year|last week], so forgive me if I'm [angry|annoyed] with the lot of you.",
    "Every phone company promises that, and then [the bill is double|nobody picks up], it's [a joke|infuriating].",
  ],
};
