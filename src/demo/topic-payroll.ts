import type { Topic } from "./topic.ts";

export const PAYROLL: Topic = {
  id: "payroll",
  product: "PayLane",
  unit: "employees",
  counts: [25, 420],
  price: [6, 14],
  per: "an employee a month",
  competitors: ["Salaro", "PeopleDesk", "BrightPay Pro"],
  systems: ["the time clocks", "QuickBooks", "our pension provider"],
  industries: ["Care Homes", "Hotels", "Dental Group", "Garden Centres", "Bakeries", "Nurseries"],
  open_questions: [
    "What does a pay run look like [for you|at your end], from the first timesheet to the bank file?",
    "How do people [ask for|book] holiday [today|at the moment]?",
    "Where do mistakes [creep in|tend to happen] in the payroll?",
    "How do you handle [starters and leavers|new starters] in the middle of a month?",
    "[Tell me|Talk me through] what month end is like in the [office|HR team].",
    "What do the managers in the branches have to do for payroll?",
    "How do you keep up with the tax and pension changes?",
    "What would you do with the time if payroll [took an hour|ran itself]?",
  ],
  links: [["s1", "s4"], ["s3", "p2"], ["p0"], ["s7", "s0"], ["p1"], ["s1", "s6"], ["p3", "s2"], ["p1", "s5"]],
  closed_questions: [
    "Do you pay monthly?",
    "Is payroll done in house?",
    "So that's about {count} {unit}?",
    "Are they all on [hourly|the same] contracts?",
    "Do you use a bureau?",
  ],
  situations: [
    "We've {count} {unit}, [about half|two thirds] of them part time, [paid every two weeks|paid monthly].",
    "Timesheets come in on paper from [four|six|nine] sites and [Linda|our office] keys them in.",
    "We use [an old desktop program|a package from 2011] on one computer in the office, [and only one person knows it|so everything depends on one person].",
    "Holidays are on a [wall planner|shared calendar], [and in people's heads|more or less].",
    "An outside bureau runs it, and we send them [a spreadsheet|our hours] by the twentieth.",
    "HR is me, [plus|and] one part-timer, and payroll is [a third|about half] of what I do.",
    "People get their payslips [by email as a PDF|on paper, in an envelope].",
    "We take on [thirty|fifty] seasonal staff in the summer, [so it goes up and down|which is when it gets busy].",
  ],
  pains: [
    {
      short: "payslip accuracy",
      said: [
        "There are [always|usually] [five or six|a handful of] wrong payslips, [and people notice|and then they queue at my door].",
        "We [underpaid|overpaid] somebody [again last month|three times this year] because a timesheet was [misread|late].",
      ],
      cost: [
        "Each correction takes [an hour|forty minutes], and it [costs us trust|makes people suspicious].",
        "[Two|Three] good people left and [named|mentioned] their pay [in the exit interview|as a reason].",
      ],
      answer: [
        "PayLane compares every run with the last one and [stops|holds back] anything odd before the money leaves.",
        "Hours come [straight from the clock|from the rota], so nobody [keys them|types them in] a second time.",
        "You preview the whole pay run on [one page|one screen], and the payslips that changed are at the top.",
      ],
    },
    {
      short: "month end",
      said: [
        "Month end takes [three|four] full days, and [nothing else|no real HR work] gets done.",
        "[I end up|I'm usually] here until nine at night on the [twenty-fifth|last Friday] typing in hours.",
      ],
      cost: [
        "That's [thirty|forty] working days a year on [typing|data entry].",
        "I haven't had a holiday at month end in [four|six] years.",
      ],
      answer: [
        "With the rota and the clock connected, a run for {count} {unit} takes [about an hour|less than two hours].",
        "The branch managers approve hours on their phone, so on the day you only [press the button|check and send].",
      ],
    },
    {
      short: "holiday tracking",
      said: [
        "Nobody knows how much leave they [have|have left], [so they all ask me|and my phone doesn't stop].",
        "We had [four people|half a shift] off on the same [weekend|Saturday] because the planner was wrong.",
      ],
      cost: [
        "I had to pay agency staff [twelve|fifteen] hundred dollars to cover it.",
        "I answer [twenty|thirty] of those questions a week.",
      ],
      answer: [
        "Everybody sees their leave in the app and asks there; the manager sees who else is off [before approving|at once].",
        "Leave carries straight into pay, [including the part-timers and the odd contracts|pro rata and all].",
      ],
    },
    {
      short: "compliance",
      said: [
        "The rules for [pensions|sick pay] change every [spring|year] and I find out [by accident|from a letter].",
        "We [were|got] fined last year because a filing [was|went in] late.",
      ],
      cost: [
        "The fine was [eighteen hundred|twenty-four hundred] dollars, and the owner [wasn't pleased|still mentions it].",
        "Our accountant charges us [four hundred|three hundred] a month to double-check.",
      ],
      answer: [
        "The tax tables and pension rules are updated by us, and filings go [out|off] by themselves on payday.",
        "You get a [plain|short] note before any rule changes, with [what it means for your people|who is affected].",
      ],
    },
  ],
  features: [
    "There's an app where staff see payslips, rotas and holidays, [in nine languages|and it works on old phones].",
    "Pension enrolment happens [automatically|by itself] when somebody reaches the age or the earnings.",
    "You can pay early wages between pay days, [capped by you|if you want that].",
    "The contract templates and onboarding forms are in there, [signed on the phone|with e-signature].",
    "The reports show labour cost by branch and by [shift|day], against the budget.",
    "Sick leave, parental leave and [jury duty|unpaid leave] are all calculated, [you only enter the dates|without a spreadsheet].",
    "Everything posts to your ledger as one journal, by cost centre.",
  ],
  proofs: [
    "A [care group|nursing home group] with [three hundred|two hundred and sixty] staff went from four days to [ninety minutes|two hours].",
    "[A hotel near the airport|A small chain of restaurants] had eleven payslip errors a month, [now it's|and now they get] one or none.",
    "The dental group we [took on|moved over] in the spring gave up their bureau and [saved|kept] nineteen thousand a year.",
  ],
  questions: [
    {
      ask: "Who [moves|brings over] all the old records?",
      answer: [
        "We do. [Our onboarding team|A payroll specialist] imports the year to date and runs [two|one] parallel pay runs with you before the switch.",
        "You send us the last [three|twelve] payslips files and we load them; you check the totals.",
      ],
    },
    {
      ask: "What if somebody has two jobs [with us|on different rates]?",
      answer: [
        "That's fine, one person can hold several contracts, and each shift takes the right rate.",
        "Each role has its own rate and cost centre, and it's still one payslip.",
      ],
    },
    {
      ask: "Can we switch in the middle of the tax year?",
      answer: [
        "Yes, [about half|most] of our customers do, we carry the year to date over.",
        "You can. [January is just quieter|There's no need to wait for January].",
      ],
    },
    {
      ask: "Is there a person I can call on payday?",
      answer: [
        "There is, a named one, [until eight in the evening|and payday calls jump the queue].",
        "Always. Same two people, and you get their direct [number|line].",
      ],
    },
  ],
  pleased: [
    "An hour [instead of four days|for a pay run]? That would [change my life|be wonderful], honestly.",
    "The app for holidays [is lovely|looks great], my staff would be really happy with that.",
    "Not having to [key in|type] those timesheets [again|any more] would be such a relief. I love it.",
  ],
  displeased: [
    "Changing payroll is a [nightmare|horrible job], the last time [people weren't paid for a week|it went badly wrong].",
    "My staff [already complain|are already unhappy] about the app we have, and I'm the one who gets [shouted at|the blame].",
    "If one [single|more] payslip goes wrong, [I lose people|they walk], so no, I'm [worried|not happy] about this.",
  ],
};
