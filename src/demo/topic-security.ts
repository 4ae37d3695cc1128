import type { Topic } from "./topic.ts";

export const SECURITY: Topic = {
  id: "security",
  product: "Sentrel",
  unit: "laptops",
  counts: [30, 600],
  price: [5, 13],
  per: "a device a month",
  competitors: ["CyberHaven One", "Lockwall", "Defendra"],
  systems: ["Microsoft 365", "our single sign-on", "the old file server"],
  industries: ["Law", "Accountants", "Architects", "Clinics", "Insurance Brokers", "Engineering"],
  open_questions: [
    "What would happen [tomorrow|on Monday morning] if somebody clicked on the wrong [attachment|link]?",
    "How do you find out that a laptop has been [infected|compromised]?",
    "Who looks at the alerts, [and when|day to day]?",
    "What did the [auditors|insurers] ask you about security last time?",
    "How do people work from home, [and on which machines|and what do they connect with]?",
    "[Tell me|Talk me through] how your backups are tested.",
    "What worries you most about [ransomware|phishing] [at the moment|in your firm]?",
    "How do you deal with patches on {count} {unit}?",
  ],
  links: [["p0", "p1"], ["p1", "s1"], ["p1", "s2"], ["p2", "s5"], ["s0", "s7"], ["s4"], ["p0", "s3"], ["s6", "p3"]],
  closed_questions: [
    "Do you have antivirus on the {unit}?",
    "Is two-factor switched on for everyone?",
    "Are you about {count} {unit}?",
    "Have you had an incident?",
    "Do you have cyber insurance?",
  ],
  situations: [
    "We have {count} {unit}, [mostly Windows|a mix of Windows and Macs], and [half|two thirds] of the people work from home [two days a week|some of the time].",
    "There's an antivirus that came with the machines, and [I believe|I think] it's up to date.",
    "IT is [one and a half people|me and an outside firm], so security is [a bit of everyone's job|what happens on Fridays].",
    "We use Microsoft 365 for mail, and we did a phishing training [two years ago|once].",
    "Backups go to [a box in the cellar|the cloud] every night, [I've never had to restore|we tested it once].",
    "Our biggest client sent us a security questionnaire [with a hundred and twenty questions|last week].",
    "Patches are [up to the users|pushed once a month], [more or less|when it works].",
    "Everybody has admin rights on their own [machine|laptop], [for historical reasons|because of one old program].",
  ],
  pains: [
    {
      short: "phishing",
      said: [
        "We get [phishing mails every day|fake invoices every week], and [last month|in the spring] somebody in accounts clicked.",
        "[A partner|One of our directors] typed his password into a fake login page [in March|two weeks ago].",
      ],
      cost: [
        "We [nearly|almost] paid [forty|sixty] thousand dollars to the wrong account.",
        "It took us [three days|a week] to change [everything|every password in the firm].",
      ],
      answer: [
        "Sentrel opens links and attachments in a sandbox first, so the [click|mistake] happens [there|on our side], and not on the laptop.",
        "When somebody enters a company password on a strange page, the session is [cut|blocked] within seconds and you get [a call|an alert].",
        "We send short training mails, [two minutes each|once a fortnight], only to the people who [need them|clicked].",
      ],
    },
    {
      short: "night-time monitoring",
      said: [
        "The alerts go to a mailbox that [nobody reads|I look at on Fridays].",
        "If something happened at [night|the weekend], we'd [find out on Monday|know when people come in].",
      ],
      cost: [
        "[A firm we know|Our neighbours] lost [nine|six] working days exactly that way.",
        "Every day we can't work costs us [around thirty|about twenty] thousand in billable hours.",
      ],
      answer: [
        "Our analysts watch [around the clock|day and night], and they can take a laptop off the network in [under five|about four] minutes.",
        "You only hear from us when it's real, [about twice a month|with what happened and what we did], in plain words.",
      ],
    },
    {
      short: "the security questionnaire",
      said: [
        "Our clients send security questionnaires, and [we can't tick half of it|I have to guess half the answers].",
        "The insurer wants [endpoint detection|proof of monitoring] or they [won't renew|raise the premium].",
      ],
      cost: [
        "The premium would go up by [thirty|forty] percent without it.",
        "We lost a tender [worth a quarter of a million|in the autumn] because of [that form|the questionnaire].",
      ],
      answer: [
        "You get a report that maps to those forms, [control by control|question by question], so you answer it in an hour.",
        "Insurers know us; [most of them|the big ones] take our certificate as proof of endpoint detection and monitoring.",
      ],
    },
    {
      short: "patching",
      said: [
        "I have no idea [which|how many] {unit} are missing updates, [honestly|if I'm truthful].",
        "People press remind me later for [months|half a year], and [I can't force them|they're partners, so what can I do].",
      ],
      cost: [
        "Our last scan found [ninety|a hundred and forty] critical holes.",
        "The auditor wrote it up as a [major|serious] finding.",
      ],
      answer: [
        "You see every missing patch on one list, and Sentrel installs them when the laptop is [idle|not in use], without nagging.",
        "We rank the holes by what attackers [use this week|really exploit], so you fix the [nine|dozen] that matter first.",
      ],
    },
  ],
  features: [
    "The agent is one small install, and it uses [less than two|about one] percent of the processor.",
    "If files start to be encrypted, the process is stopped and the files are rolled back from a hidden copy.",
    "There's device control for USB sticks, with exceptions per [person|team].",
    "Lost {unit} can be locked and wiped from the console.",
    "We scan the dark web for your domain and tell you which passwords are [out there|for sale].",
    "The console shows risk by person and device, in [one number|traffic light colours].",
    "Logs are kept for [a year|thirteen months], [which|and that] covers what the regulators ask for.",
  ],
  proofs: [
    "At a law firm with [two hundred|a hundred and fifty] people we stopped a ransomware attack on a [Sunday night|bank holiday] and [nobody noticed on Monday|they lost nothing].",
    "[An architect's office|A surveying firm] passed their client audit [three weeks|a month] after the rollout.",
    "[A clinic we protect|A medical practice] cut the click rate on phishing from [nineteen|twenty-two] to three percent.",
  ],
  questions: [
    {
      ask: "Does it slow the machines down?",
      answer: [
        "Not that people notice, it's [under two percent|about one percent] of the processor, and scans wait for idle time.",
        "No. Try it on your [slowest|oldest] laptop, that's [usually what convinces people|the best test].",
      ],
    },
    {
      ask: "Where is our data [stored|kept]?",
      answer: [
        "In [two data centres|a data centre] in your own region, encrypted, and we only keep [metadata|events], never the contents of documents.",
        "It stays in the region, and you hold the keys.",
      ],
    },
    {
      ask: "What about the Macs?",
      answer: [
        "Same protection, same console, [nothing extra to pay|no extra licence].",
        "They're covered, and so are the phones if you want that.",
      ],
    },
    {
      ask: "How fast can you [react|respond] at night?",
      answer: [
        "The median is four minutes from alert to [isolation|the machine being off the network].",
        "Under five minutes, and a person calls you, [not a bot|whatever the hour].",
      ],
    },
  ],
  pleased: [
    "Somebody watching at [night|the weekend] would let me sleep [much better|so well]. That's a great feeling.",
    "The report for the questionnaires is [fantastic|excellent], it solves my [biggest headache|whole week].",
    "I'm [really impressed|very happy] with how quickly you [isolate|stop] things.",
  ],
  displeased: [
    "Every security vendor tries to [scare|frighten] me, and I'm [sick|tired] of it.",
    "The last product [blocked our own software|broke the printers] for two days, it was [awful|a disaster].",
    "Our people [hated|couldn't stand] it, the machines were so slow it was [painful|ridiculous].",
  ],
};
