/** English phrases a sales coach listens for. Every pattern is tried on one turn at a time and is linear. */

export interface Objection {
  readonly kind: "price" | "timing" | "sign-off" | "status quo" | "trust" | "need";
  readonly said: RegExp;
  /** Words that take the objection up. */
  readonly met: RegExp;
}

const alternatives = (...parts: readonly string[]): RegExp => new RegExp(String.raw`\b(?:${parts.join("|")})\b`, "i");

const PEOPLE = "boss|manager|wife|husband|partner|team|ceo|cfo|director|board|spouse|procurement|colleagues|family";

export const OBJECTIONS: readonly Objection[] = [
  {
    kind: "price",
    said: alternatives(
      "(?:too|so|very|quite|pretty|really|bit) (?:expensive|pricey|costly|steep)",
      // Not of others: "they waste too much money on advertising".
      "(?<!(?:spend|spends|spent|spending|waste|wastes|wasted|wasting) )too much money",
      "too much for (?:us|me)",
      "(?:can't|cannot|can not|couldn't) (?:really )?afford",
      "(?:over|out of|beyond|above) (?:my|our|the) budget",
      "(?:no|tight|limited) budget",
      "(?:don't|do not) have (?:the|a|any|much|enough|extra|that kind of) (?:\\w+ )?(?:budget|money|cash)",
      "(?:is|are|sounds|seems) expensive",
      "more than (?:we|i) (?:wanted|planned|expected|can|pay)",
      "cheaper",
    ),
    met: /\b(?:pric\w+|cost\w*|budget|discount|value|sav(?:e|es|ing|ings)|pay\w*|month|plan|afford\w*|cheaper|return|roi|worth|amount|small\w*|little|cents?|invest\w*|refund|trial|free)\b|[$€£]/i,
  },
  {
    kind: "timing",
    said: alternatives(
      "not (?:right now|a good time|the right time|the best time|ready)",
      "(?:too|really|very|so) busy",
      "(?:don't|do not) have (?:the |any |much )?time",
      "maybe (?:later|another time|next time|in the future)",
      "(?:have|need|want|like) to think (?:about (?:it|this|that)|it over)",
      "call (?:me )?back (?:in|next|later)",
      "(?:need|take) (?:some |more )+time",
    ),
    met: /\b(?:time|when|later|tomorrow|week|month|today|now|minutes?|date|schedul\w+|wait\w*|deadline|until|follow)\b/i,
  },
  {
    kind: "sign-off",
    said: alternatives(
      `(?:talk|speak|check|discuss|ask|run)(?: (?:it|this|that))?(?: (?:to|with|by|past|about (?:it|this) with))? (?:my|our|the) (?:${PEOPLE})`,
      "not (?:only )?my (?:decision|call)",
      "(?:need|needs|get|requires) (?:\\w+ )?(?:approval|sign-off)",
    ),
    met: new RegExp(
      String.raw`\b(?:${PEOPLE}|decision|decid\w+|approv\w+|sign\w*|together|they|them|him|her|involved?)\b`,
      "i",
    ),
  },
  {
    kind: "status quo",
    said: alternatives(
      "already (?:use|using|work with|working with|pay for|have (?:a|an|one|someone|something))",
      "(?:happy|satisfied|fine|good) with (?:our|my|what) (?:current|existing|present|we|i)",
      "(?:we're|i'm|we are|i am) (?:good|fine|all set) (?:for now|thanks|thank)",
      "switching (?:is|would|costs?|sounds)",
      "locked in",
    ),
    met: /\b(?:current\w*|today|switch\w*|compar\w+|instead|besides|differen\w+|alongside|migrat\w+|use|using|contract|improve|better)\b/i,
  },
  {
    kind: "need",
    said: alternatives(
      "(?:don't|do not) (?:really )?(?:need|want) (?:it|this|that|any|another|one|to (?:buy|donate|switch|change|pay|sign))",
      "(?:don't|do not|can't) see (?:the|any|much) (?:value|point|benefit|need)",
      "not (?:so |too |really |quite |entirely )?sure (?:i|we) (?:really )?(?:need|want)",
      "not (?:really |that |very )?interested",
      "no thank(?:s| you)",
      "rather not",
      "(?:doesn't|does not|won't) (?:really )?(?:help|work for|fit) (?:us|me)",
    ),
    met: /\b(?:need\w*|help\w*|interest\w*|because|benefit\w*|value|useful|goal|problem|matter\w*|what if|even)\b/i,
  },
  {
    kind: "trust",
    said: alternatives(
      "how (?:do|can|would) (?:i|we) (?:know|trust|be sure)",
      "scams?",
      "(?:don't|do not|hard to) trust",
      "sceptical|skeptical|suspicious",
      "too good to be true",
      "not (?:so |too |really |quite |entirely )?convinced",
      "not (?:so |too |really |quite |entirely )?sure (?:i|we|it|this|that|about|if|whether)",
      "hidden (?:fees|costs|charges)",
      "(?:i'm|we're|i am|we are) (?:\\w+ ){0,2}(?:worried|concerned) (?:that|about)",
      "(?:my|our) (?:\\w+ )?(?:concern|worry|fear) is",
      "(?:had|heard) (?:\\w+ ){0,2}bad (?:experiences?|things|reviews)",
      "been (?:burned|burnt|ripped off|scammed)",
    ),
    met: /\b(?:trust\w*|sure|guarantee\w*|referenc\w+|customers?|reviews?|certif\w+|secur\w+|transparen\w+|proof|show|rated?|ratings?|rest assured|legit\w*|percent|years?|web\w*|site|check|contract|evidence|case|look (?:it )?up|information|url|help\w*|difference)\b|%/i,
  },
];

/** The agent shows that something was heard. */
export const ACKNOWLEDGED =
  /\b(?:understand|hear you|makes sense|fair (?:enough|point|question|concern)|appreciate|good (?:point|question)|great (?:point|question)|sorry|get (?:that|it)|i see|agree|you're right|you are right|totally|absolutely|of course|no problem|no worries|valid|that's (?:ok|okay|fine|true|a fair|a good)|i know|respect)\b/i;

const SOON =
  "monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|next week|this week|this afternoon|later today|at \\d";
const DO =
  "send|email|e-mail|call|text|mail|ring|get back|set (?:it |that |this )?up|set you|book|schedule|prepare|forward|share|draft|arrange|process|put together|reach out|follow";

/** A step that someone will take after the call. */
export const NEXT_STEP = alternatives(
  "next steps?",
  "follow(?:ing)?[- ]up",
  "schedule|scheduled|calendar|invite|invitation",
  `(?:i'll|i will|i'm going to|i am going to|let me|we'll|we will|i can|shall i|can i|could i) (?:also |then |just |go ahead and )?(?:${DO})`,
  "send (?:you|it|that|this|them) (?:the|a|an|over|by|an?|my|our|details|some|more|out|tomorrow|today)",
  `(?:talk|speak|meet|call|demo|meeting|see you|touch base|start|trial|kick-off|ready|works?|do|how about|free)\\b[^.?!]{0,40}\\b(?:${SOON})`,
  "(?:you'll|you will|you should) (?:get|receive|hear|have|find)",
  "get(?:ting)? (?:you )?(?:started|set up|signed up)",
  "(?:sign|send|return|review) (?:the|a|this|our) (?:contract|agreement|order|form|proposal|quote|paperwork)",
  "sign you up|place the order|start the (?:trial|pilot)|free trial",
  "(?:will|going to) (?:be )?(?:\\w+ ){0,2}(?:collect(?:ed)?|sent|charged|process(?:ed)?|deduct(?:ed)?|deliver(?:ed)?|ship(?:ped)?|transfer(?:red)?|forward(?:ed)?|contact(?:ed)?)",
  "(?:is|are|be|get) (?:automatically |directly )?(?:deducted|charged|collected|shipped|delivered)",
);

/** What sounds like a step and commits nobody: "I'll send you a brochure and you have a think". */
export const BRUSH_OFF = alternatives(
  "have a (?:think|look)|think (?:it over|about it)|mull it over",
  "(?:some|a few) (?:stuff|info|information|material|things)|brochures?|leaflets?|flyers?",
  "some ?time|one day|at some point|whenever",
);

/** Something said of when. */
export const WHEN = alternatives(
  `${SOON}|today|tonight|this (?:morning|month)|next month|in (?:a|an|one|two|three|\\d+) (?:hours?|days?|weeks?|months?)`,
  "(?:january|february|march|april|june|july|august|september|october|november|december)",
);

/** The customer says yes. */
export const COMMITTED = alternatives(
  "(?:i'll|i will|i'd|i would|we'll|we will|i'm going to|i am going to|i can|happy to|willing to|let's|let me) (?:like to |be happy to |love to |also |definitely |just |probably )*(?:donate|contribute|give|take it|take the|buy|order|go ahead|go with|sign|try it|do it|do that|start|book|match)",
  "count me in|sign me up|sounds good|it's a deal|let's go|we have a deal",
);

/** The customer says no. */
export const REFUSED = alternatives(
  "(?:not|won't|don't|never) (?:be |going to |want to |able to |like to )*(?:donat(?:e|ing)|giv(?:e|ing)|buy(?:ing)?|sign(?:ing)?|contribut(?:e|ing)|order(?:ing)?)",
  "not interested|no thank(?:s| you)|(?:i'll|i will|we'll|we will) pass|rather (?:not|keep|spend|donate my)",
  "scams?|sketchy|guilt|pushy|being pushed",
);

/** The agent asks for a decision. */
export const DECISION = alternatives(
  "(?:would|do|will|are) you (?:\\w+ ){0,3}(?:like to|want to|willing to|ready to|interested in|able to|consider|prefer)(?: \\w+)?",
  "(?:shall|should|can) (?:we|i) (?:go ahead|start|book|sign|send|put)",
  "how much would you",
);

/** A price with its figure. */
export const PRICE_FIGURE =
  /[$€£]\s?\d|\b\d[\d,.]{0,12}\s?(?:dollars?|euros?|pounds?|bucks|cents)\b|\b\d[\d,.]{0,12}\s(?:per|a|each|every|an?)\s(?:month|year|seat|user|week|hour|licen[cs]e)\b/i;

/** Anyone speaks of price at all. */
export const PRICE_TALK =
  /[$€£]\s?\d|\b(?:prices?|pricing|priced|costs?|budget|expensive|how much|fees?|quote|discount)\b/i;

export const GREETING =
  /^\W*(?:\w+\W+){0,3}?(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|welcome|thanks for (?:calling|taking|joining)|thank you for (?:calling|taking|joining))\b/i;

export const THANKS = /\b(?:thanks?|thank you|appreciate)\b/i;

/** Words too common to show that a reply takes something up. */
const COMMON = new Set(
  "about above after again already also although always anything around because been before being between both could does doing done down each else even ever every from give going good great have having here into just know like little look made make many maybe mean might more most much need never only other over people please pretty quite really right same should some something still such sure take than thank thanks that their them then there these they thing things think this those though through time today very want well were what when where which while will with would yeah your yours".split(
    " ",
  ),
);

/** The stems of the words that carry a text's matter. */
export function matter(words: readonly string[]): Set<string> {
  return new Set(words.filter((w) => w.length >= 4 && !COMMON.has(w) && !/^\d/.test(w)).map((w) => w.slice(0, 6)));
}
