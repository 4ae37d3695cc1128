import type { Topic } from "./topic.ts";

export const SOLAR: Topic = {
  id: "solar",
  product: "Brightroof",
  unit: "panels",
  counts: [60, 480],
  price: [5, 9],
  per: "a panel a month over ten years",
  competitors: ["Helio Partners", "SunLease", "GridFree"],
  systems: ["the existing inverter", "our cold store", "the charging points"],
  industries: ["Cold Storage", "Timber", "Packaging", "Farms", "Breweries", "Logistics"],
  open_questions: [
    "What does your electricity bill look like over [a year|the seasons]?",
    "When in the day do you use the most power?",
    "What shape is the roof in, [and how long will it last|as far as you know]?",
    "How has the energy price changed your [plans|margins]?",
    "What have you [heard|read] about solar on [buildings|roofs] like yours?",
    "What are your plans for the site over the next ten years?",
    "What would a [good|sensible] payback look like for your board?",
    "How do you feel about batteries, [and why|in general]?",
  ],
  links: [["s1", "p0"], ["s4", "p1"], ["s0", "s2"], ["p0", "s3"], ["s5"], ["s6", "p3"], ["p3", "s5"], ["p2", "p1"]],
  closed_questions: [
    "Do you own the building?",
    "Is it a flat roof?",
    "Does the site run at the weekend?",
    "Have you had a [survey|roof survey] done?",
    "Is your tariff fixed until next year?",
  ],
  situations: [
    "We have [two thousand|three thousand] square metres of roof, [flat|slightly pitched], and it was redone in [2016|2018].",
    "The power bill is [about a hundred and ten|around ninety] thousand a year, [and most of it is daytime|mainly the compressors].",
    "We own the building, [the landlord sold it to us|since last year].",
    "Our tariff is fixed until [March|the end of the year], [and I dread what comes after|then we'll see].",
    "The machines run from six to [six|ten], [five days|and a half shift on Saturdays].",
    "We looked at solar in [2019|2020], and at that time the numbers didn't [work|stack up].",
    "[Two|Three] of our vans are electric now, and there'll be [more|eight by next year].",
    "There's a grid connection of [two hundred and fifty|three hundred] kilowatts, [as far as I know|I'd have to look that up].",
  ],
  pains: [
    {
      short: "the power bill",
      said: [
        "Electricity [has doubled|went up seventy percent] in three years, and [we can't pass it on|our customers won't pay more].",
        "Energy is now our [second|third] biggest cost after wages, [and I can't plan it|which is new].",
      ],
      cost: [
        "It took [four|three] points off our margin [last year|in one year].",
        "That's [fifty|forty] thousand dollars that we used to put into machines.",
      ],
      answer: [
        "{count} panels on that roof would cover [thirty-five to forty|about forty] percent of what you use, at a price that's fixed for [twenty|twenty-five] years.",
        "Because you run in the daytime, you'd use [eighty|eighty-five] percent of the power yourselves, and that's what pays.",
        "[Roughly|On your numbers], the payback is between [five and six|four and a half and five and a half] years.",
      ],
    },
    {
      short: "the peak load",
      said: [
        "The peak charges [hit us hard|are what hurts]: when the compressors start, we pay for it [all month|the whole year].",
        "[We get|There are] penalties for peaks that last fifteen minutes.",
      ],
      cost: [
        "Peaks alone [are|come to] [fourteen|eighteen] thousand a year.",
        "One cold morning in January cost us [two|nearly three] thousand.",
      ],
      answer: [
        "A battery the size of a [cupboard|small container] shaves those peaks; [the software|our controller] learns when the compressors start.",
        "We'd simulate your meter data, [quarter hour by quarter hour|for a whole year], so you see the peaks before and after.",
      ],
    },
    {
      short: "the risk of a power cut",
      said: [
        "We've had [three|four] power cuts this year, and [the cold store warms up|the line stops] every time.",
        "When the grid drops, [we throw away stock|a whole batch is lost].",
      ],
      cost: [
        "The last one cost [eleven|seven] thousand in spoiled goods.",
        "The insurance only paid [half|a third] of it.",
      ],
      answer: [
        "With the backup option the critical circuits stay on for [four|six] hours, [longer when the sun shines|and the panels refill it].",
        "It switches over in [under a second|twenty milliseconds], so the controls don't even [restart|notice].",
      ],
    },
    {
      short: "the carbon target",
      said: [
        "Our [biggest customer|main retailer] wants to see our emissions [by next year|in every tender now].",
        "We've promised [thirty percent less carbon|to halve our emissions], and there's no plan [behind it|yet].",
      ],
      cost: [
        "Without a plan we [drop|fall] out of their supplier list, and that's a [quarter|fifth] of our sales.",
        "The bank also asks [now|before it lends].",
      ],
      answer: [
        "This roof would take [about sixty|around eighty] tonnes a year off, with a certificate [your customers accept|for every kilowatt hour].",
        "You'd get a monthly report that [goes straight into|fits] those supplier forms.",
      ],
    },
  ],
  features: [
    "The panels have a [twenty-five|thirty] year output guarantee, and [the inverter|every inverter] twelve.",
    "We handle the permits and the grid application, [which is the slow part|and that takes about ten weeks].",
    "The mounting is ballasted, so there are no holes in the [membrane|roof].",
    "Every panel is monitored on its own, so one dirty or broken one [shows up|is found] the same day.",
    "You can lease it, buy it, or we own it and sell you the power.",
    "What you don't use goes to the grid, [and you're paid for it|at the going rate].",
    "Cleaning and inspection are included for [five|ten] years.",
  ],
  proofs: [
    "A [packaging|joinery] company [nearby|across the river] with the same roof made [a hundred and ninety|two hundred and ten] megawatt hours in its first year, [four percent above|slightly over] our forecast.",
    "[A brewery we built for|The cold store on the ring road] [pays|has] sixty percent less in peak charges since the battery.",
    "[A dairy farm|A grower] got its money back in [four years and nine months|just over five years].",
  ],
  questions: [
    {
      ask: "What happens if the roof needs [repairs|work] later?",
      answer: [
        "We lift the panels off and put them back, once in ten years at no charge.",
        "It's ballasted, so a section can be moved in [a day|half a day].",
      ],
    },
    {
      ask: "How long would the [work|build] take?",
      answer: [
        "[Two to three weeks|About three weeks] on the roof, and the power is off for [one morning|half a day], on a weekend if you want.",
        "The permits take [ten weeks|two to three months], the building [two weeks|a fortnight].",
      ],
    },
    {
      ask: "What about the winter?",
      answer: [
        "December makes about a [sixth|fifth] of what June does, and that's in the forecast.",
        "You'd still buy power in winter. The saving is over the whole year, [and I'd rather you knew that now|that's the honest answer].",
      ],
    },
    {
      ask: "Can the roof [carry|take] it?",
      answer: [
        "Our engineer checks that first, [and if it can't we stop there|it's part of the free survey].",
        "It's about [twelve|fourteen] kilos a square metre. [Most|Roofs] from after 2000 can, and we verify it in writing.",
      ],
    },
  ],
  pleased: [
    "A fixed price for [twenty|twenty-five] years [sounds wonderful|is a really good thing], [I like that a lot|our board will love it].",
    "The simulation with our own meter data is [brilliant|excellent], I've never seen that before.",
    "[Five|Five and a half] years is [great|better than I hoped], I'm very pleased with that.",
  ],
  displeased: [
    "The last solar people [climbed on the roof and broke the skylights|left us with leaks], it was a [terrible|dreadful] job.",
    "Those forecasts are [always|usually] [fantasy|nonsense], and we're the ones left with the [loan|bill].",
    "I'm [fed up|tired] of salesmen with a calculator telling me my [roof|power] is free money.",
  ],
};
