import type { Topic } from "./topic.ts";

export const CRM: Topic = {
  id: "crm",
  product: "Harbor CRM",
  unit: "seats",
  counts: [8, 160],
  price: [24, 58],
  per: "a seat a month",
  competitors: ["PipeForge", "SalesTide", "ContactHub"],
  systems: ["Outlook", "our ERP", "the marketing newsletter tool"],
  industries: ["Machine Tools", "Office Furniture", "Lab Supplies", "Printing", "Packaging Machines", "Consulting"],
  open_questions: [
    "How do you know [today|right now] what's in the pipeline?",
    "What happens to a lead between the website form and the first call?",
    "[Tell me|Talk me through] how a forecast gets made.",
    "What does a rep do after a customer visit, [before driving on|to write it up]?",
    "Where do deals get [stuck|lost] in your sales process?",
    "How do you hand an account over when a rep leaves?",
    "What did you like about the CRM you had, [and what not|and what drove you mad]?",
    "How would you know in a year that this was [worth it|a success]?",
  ],
  links: [
    ["s1", "s6"],
    ["s3", "p1"],
    ["p2", "s1"],
    ["s6", "p0"],
    ["p0", "s4"],
    ["p3", "s7"],
    ["s2", "p2"],
    ["p0", "p3"],
  ],
  closed_questions: [
    "Do you have a CRM [already|today]?",
    "Is it {count} {unit} you need?",
    "Are all of the reps in the field?",
    "Do you use Outlook?",
    "Does management get a weekly report?",
  ],
  situations: [
    "We've [nine|fourteen|twenty] reps in the field and [four|six] inside, [selling through dealers too|all on commission].",
    "Each rep has [a spreadsheet|their own list], and on [Friday|Monday] I [merge|paste] them together.",
    "There's an old CRM, [but nobody enters anything|and people use it as an address book].",
    "Leads come from the website and [two trade fairs|the fairs] a year, [and land in a shared mailbox|on business cards, mostly].",
    "Our sales cycle is [four to six|six to nine] months, with [three|five] people involved at the customer.",
    "Quotes are written in Word, [from the last one|copied from an old one], and saved on a drive.",
    "The forecast is my gut feeling [times the reps' gut feeling|plus a spreadsheet], to be honest.",
    "The customer history is in [mailboxes|people's heads and mailboxes].",
  ],
  pains: [
    {
      short: "forecasting",
      said: [
        "My forecast was [thirty|forty] percent off [last quarter|in the spring], and [the board|my boss] asks why.",
        "Deals slip from month to month, [and I see it when it's too late|and no one tells me].",
      ],
      cost: [
        "We had hired two people on that forecast, [so that hurt|and had to undo it].",
        "Production planned [machines|stock] that then [stood around|sat] for half a year.",
      ],
      answer: [
        "Harbor shows which deals have gone quiet, and weighs each stage by what [really closed|happened] in your own history.",
        "You'd see what changed since last [week|Friday]: what slipped, what grew, what's [new|gone].",
        "Teams your size usually come within [eight to ten|about ten] percent of forecast after two quarters.",
      ],
    },
    {
      short: "lead handling",
      said: [
        "Leads lie in the mailbox for [days|a week], [and the competitor has called by then|until someone feels responsible].",
        "After the fair we had [three hundred|two hundred] cards, and I think [half|most] were never called.",
      ],
      cost: [
        "A stand at that fair costs [thirty-five|forty] thousand, so [you can imagine|that's money thrown away].",
        "I'd guess [ten|eight] orders a year, at [twelve|fifteen] thousand each.",
      ],
      answer: [
        "A lead goes to the right rep by [region|postcode and product] within a minute, and if nobody calls in [two hours|a day] it moves on.",
        "At the fair you photograph the card, and the follow-up mail [goes out|is drafted] the same evening.",
      ],
    },
    {
      short: "data entry",
      said: [
        "The reps [refuse|won't] to type, they say they're paid to sell, [and they have a point|and so the old CRM is empty].",
        "I spend every [Friday afternoon|Monday] [chasing|begging] people for their visit reports.",
      ],
      cost: [
        "It's [five|four] hours of mine a week, and [six|five] of theirs.",
        "We [paid for|bought] a CRM that's empty, [that's|at] nine thousand a year.",
      ],
      answer: [
        "They talk for thirty seconds after the visit, and Harbor writes the note, the tasks and the next date.",
        "Mails and meetings log themselves from Outlook, so [most|eighty percent] of the record is there before anyone types.",
      ],
    },
    {
      short: "the account handover",
      said: [
        "When [a rep leaves|Peter left in May], everything they knew [is gone|goes out of the door].",
        "Two of us [visited|quoted] the same customer [in one week|at different prices], [embarrassing|you can imagine their face].",
      ],
      cost: [
        "It took the new one [seven|eight] months to [get going|pick up the accounts].",
        "We lost [one of our top ten accounts|a dealer] over it.",
      ],
      answer: [
        "Every mail, visit and quote hangs on the account, so the next rep reads the story in [ten|fifteen] minutes.",
        "You'd see at once who else [talks to|is in touch with] the customer, before [anyone calls|a second quote goes out].",
      ],
    },
  ],
  features: [
    "The mobile app works offline and syncs when there's [signal|a connection].",
    "Quotes are built from your price list, [with approval above a discount you set|and signed online].",
    "There's a map of accounts near the next visit, [which field reps love|so they fill a gap in the day].",
    "The pipeline board is drag and drop, and every stage has [a checklist|its own exit criteria].",
    "The dashboards come ready made, [and you can change them|twelve of them], no consultant needed.",
    "Duplicates are found and merged [overnight|as they come in].",
    "You can give dealers a limited login for their own [deals|customers].",
  ],
  proofs: [
    "A [machine builder|valve maker] with [eighteen|twelve] reps cut the response time on leads from [three days|two days] to [two hours|ninety minutes].",
    "[One sales director|A sales director I work with] told me the Friday call went from [ninety|sixty] minutes to [twenty|fifteen].",
    "[A lab supplier|An office furniture firm] has [ninety-one|ninety] percent of visits logged, and before it was [a fifth|twenty].",
  ],
  questions: [
    {
      ask: "How do we get our spreadsheets in?",
      answer: [
        "You send them as they are, we map and clean them, and you check [a sample|fifty records] before it's final.",
        "There's an importer, and for {count} {unit} [we do it for you|it's part of the setup].",
      ],
    },
    {
      ask: "How long until the reps really use it?",
      answer: [
        "[Two to three|About three] weeks, if the managers run their Friday meeting from it. [If they don't, never|That's the honest condition].",
        "We start with [three|four] volunteers. When the others see the voice notes, they ask for it.",
      ],
    },
    {
      ask: "Can I limit who sees [what|which accounts]?",
      answer: [
        "Yes, by team, region and [field|record], and exports can be switched off.",
        "You can, down to the field. [Margins|Prices] for example only for you.",
      ],
    },
    {
      ask: "What if we want to leave [again|one day]?",
      answer: [
        "You export everything, [mails and files included|in open formats], any day, without asking us.",
        "Then you take your data with one click and go. [We'd rather earn it|No exit fee].",
      ],
    },
  ],
  pleased: [
    "The voice notes are [genius|fantastic], my reps would [actually use|love] that.",
    "Seeing what slipped since Friday, [that's brilliant|I've wanted that for years].",
    "I'm [excited|really happy] about the handover story, that's such a good solution for us.",
  ],
  displeased: [
    "Our last CRM project [failed|was a disaster], the reps [hated|sabotaged] it, and I [got the blame|had to explain it].",
    "It's [just another|one more] system nobody wants, and honestly I'm [annoyed|irritated] we're having this conversation again.",
    "Consultants everywhere and nothing [worked|ever worked], it was a [horrible|miserable] year.",
  ],
};
