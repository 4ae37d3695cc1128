import type { Topic } from "./topic.ts";

export const FLEET: Topic = {
  id: "fleet",
  product: "Routewise",
  unit: "vans",
  counts: [12, 140],
  price: [14, 29],
  per: "a vehicle a month",
  competitors: ["Fleetmatics Blue", "TrackHaul", "Vantage GPS"],
  systems: ["our fuel cards", "our dispatch board", "the job sheets in Excel"],
  industries: ["Plumbing", "Couriers", "Catering Supply", "Lifts", "Drainage", "Flooring"],
  open_questions: [
    "How do you know where your drivers are [right now|at any given moment|during the day]?",
    "What happens [today|at the moment] when a customer calls and asks when the van will be there?",
    "[Walk|Talk] me through how a route gets planned in the morning.",
    "How do you keep track of fuel [across|over] {count} {unit}?",
    "What does a bad day look like [in|for] your dispatch [office|team]?",
    "Which part of running the vehicles [takes|eats] the most of your time?",
    "How do you deal with [overtime|hours] when the timesheets and the road don't agree?",
    "What made you look at vehicle tracking [now|this year|at this point]?",
  ],
  links: [
    ["s2", "s3"],
    ["p1"],
    ["s4", "s1", "s7"],
    ["s5", "p0"],
    ["p1", "p3"],
    ["p2", "p3"],
    ["p2"],
    ["p0", "p3", "p1"],
  ],
  closed_questions: [
    "Do you have trackers in the {unit} [already|today]?",
    "Is it around {count} {unit}, [give or take|roughly]?",
    "Are the drivers [employed by you|on your own payroll]?",
    "Do you lease the vehicles?",
    "Have you got a dispatcher [full time|in the office all day]?",
  ],
  situations: [
    "We run {count} {unit} out of [two depots|one depot|three yards], [mostly local work|about half of it same-day jobs].",
    "Dispatch is [one person with a whiteboard|two people and a lot of phone calls], [honestly|to be fair].",
    "The drivers text in when they finish a job, and [somebody|one of us] types that into a sheet.",
    "We had trackers in [some|about a third] of the {unit} years ago and nobody looked at them.",
    "Most of our routes are planned the night before, [and then the day happens|and by ten o'clock they've changed].",
    "Fuel goes on cards, and I see the total once a month when the bill [comes|lands].",
    "We cover [the whole county|about sixty miles around the city], [so there's a lot of motorway time|so it's a lot of stop and start].",
    "[Right now|Today] each driver has a regular patch, [and they know it well|and they do it their own way].",
  ],
  pains: [
    {
      short: "fuel",
      said: [
        "Fuel [is the big one|has gone up a lot]. We spend [far more|about a fifth more] than we budgeted and [I can't say why|nobody can tell me where it goes].",
        "[I suspect|My feeling is that] some of the {unit} are idling for an hour a day, [but I can't prove it|and that's all diesel].",
      ],
      cost: [
        "It came to [about nine|roughly eleven|nearly fourteen] thousand last quarter over plan.",
        "Per van it's maybe [sixty|eighty|ninety] dollars a month, so it adds up.",
      ],
      answer: [
        "Routewise shows idling and detours per vehicle, so you see [on a Monday morning|each week] which {unit} burn fuel standing still.",
        "We match every fuel card purchase with where the van was and what was in the tank, [so odd fills show up|and we flag the ones that don't fit].",
        "Fleets of your size [usually|typically] cut fuel by [eight to twelve|about ten] percent in the first [three months|quarter], mostly from idling alone.",
      ],
    },
    {
      short: "lateness",
      said: [
        "Customers [ring|call] us asking where the van is, and [we don't know|we have to phone the driver].",
        "We miss [one in ten|quite a few] of our arrival windows, [and people remember that|and then we send somebody back a second time].",
      ],
      cost: [
        "We've [lost|had to credit] two [good accounts|regular customers] over it this year.",
        "A second visit costs us [about seventy|around ninety] dollars, every time.",
      ],
      answer: [
        "Your customers would get a text with a live arrival time, [so they don't need to call|and the office phone goes quiet].",
        "The map re-plans when a job overruns, and [the dispatcher|whoever is on the desk] sees which van can [take over|get there first].",
        "[Another|A similar] firm went from [eighty-two|eighty-five] to [ninety-six|ninety-five] percent on-time with the live arrival texts.",
      ],
    },
    {
      short: "overtime",
      said: [
        "The timesheets [never|don't] match what the drivers [actually|really] did, and payday is an argument.",
        "Overtime [is creeping up|keeps growing], and I have nothing to check it against.",
      ],
      cost: [
        "[Sarah|Our office manager|My bookkeeper] spends [a full day|two days] every month [correcting hours|going through it line by line].",
        "We think we overpay [five|six] percent on hours.",
      ],
      answer: [
        "Ignition on, ignition off, first stop and last stop go straight into the timesheet, so [nobody has to remember|there's nothing to type].",
        "Drivers see the same record as you in the app, [which takes the argument out of it|so it feels fair to them].",
      ],
    },
    {
      short: "servicing",
      said: [
        "We find out a service is overdue when the van [breaks down|won't start|goes off the road].",
        "Keeping the inspections straight for {count} {unit} in a [calendar|spreadsheet] is [getting hard|hit and miss].",
      ],
      cost: [
        "A van off the road [costs|loses] us [four|five] hundred a day [in missed jobs|before the repair].",
        "We had three breakdowns [last month|in the winter] that a service would have caught.",
      ],
      answer: [
        "Servicing is scheduled from the real mileage, and the fault codes [come in|are sent] live, so you book it before it [fails|breaks].",
        "You get [a list every Monday|an alert two weeks ahead] of what is due, per vehicle, with the paperwork [attached|in one place].",
      ],
    },
  ],
  features: [
    "The tracker plugs in [under the dashboard|behind the dash] in [fifteen|twenty] minutes and updates every ten seconds.",
    "You can draw a fence around a depot or a customer site and get an alert when a vehicle [enters or leaves|crosses it].",
    "There's a driver score for braking, cornering and speeding, [and most fleets run a little league table with it|which insurers like].",
    "Dash cams are optional and upload only the [ten|twelve] seconds around an event.",
    "The route planner takes traffic, load and time windows and [spreads|shares] the jobs over the {unit}.",
    "We have reports for mileage, [tax|private use], idling and [carbon|emissions], all exportable.",
    "The mobile app does job photos, signatures and vehicle checks, [even without signal|offline as well].",
  ],
  proofs: [
    "A [heating|refrigeration|scaffolding] company with [sixty|forty-five|ninety] vans [down the coast|in the next county] [saved|took out] eleven percent of their fuel in [four|three] months.",
    "[One of our courier customers|A parcel firm we look after] stopped hiring a second dispatcher because the map did [that work|half the job].",
    "[A food wholesaler|A bakery] got nine percent off their [insurance|premium] with the driver scores.",
  ],
  questions: [
    {
      ask: "What do the drivers [say|think] about being tracked?",
      answer: [
        "[It's a fair question|Good question]. What works is to show them the same data, and to switch tracking off in private time with one button.",
        "Some grumble in week one. When the pay disputes stop, [most|nearly all] of them come round.",
      ],
    },
    {
      ask: "How long does it take to fit {count} {unit}?",
      answer: [
        "Our fitters do [ten|twelve] a day at your yard, [in the evenings if you like|early, before they leave], so it's [a week or two|about a week].",
        "It plugs in. [Twenty minutes a van|A quarter of an hour each], and we do it on [your site|a Saturday].",
      ],
    },
    {
      ask: "What happens when there's no [signal|coverage]?",
      answer: [
        "The tracker stores up to a [week|month] and sends it when it's back in coverage.",
        "Nothing is lost; it keeps the trip and uploads later.",
      ],
    },
    {
      ask: "Can I see it on my phone?",
      answer: [
        "Yes, the whole live map, [and the alerts|with alerts you pick yourself].",
        "You can. [Most owners|A lot of our owners] only ever use it on the phone.",
      ],
    },
  ],
  pleased: [
    "Seeing all the {unit} on one map [is brilliant|is exactly what I've wanted], [honestly|I have to say].",
    "The arrival texts [are a great idea|would make our customers really happy]. I love that.",
    "If that [saves|gets] us even half of that fuel, [I'm delighted|it's a fantastic result].",
  ],
  displeased: [
    "[My|The] drivers will hate it, and [frankly|to be blunt] I've had enough trouble with them this year.",
    "The last trackers were [rubbish|useless], they drained the batteries and [the map was wrong|nobody trusted the map].",
    "We've [wasted|thrown away] a lot of money on gadgets in those {unit} already, and it was a [terrible|miserable] experience.",
  ],
};
