/**
 * The calls both servers are measured on: n calls of 100 agents over two years, some 3 KB of words each in 50 topics,
 * with a unit vector, sentiment and talk ratio of their own. The same numbers give the same calls on every machine.
 */
import { DIMENSIONS, normalize } from "../src/core/vector.ts";
import { random } from "../test/support/call-rows.ts";

export const AGENTS = 100;
/** The driver asks for dates in the two years that end here. */
const END = Date.UTC(2025, 5, 30);
const DAYS = 730;
const TOPICS = 50;
/** Words are drawn once for so many calls a topic; 2,000 texts in all. */
const BODIES = 40;
/** Length of the noise beside a topic's centre: two calls of a topic have a cosine of about 0.67. */
const SPREAD = 0.7;
const LANGUAGES = ["en", "en", "en", "en", "en", "en", "en", "es", "de", "hi"];

const AGENT = [
  "Thanks for calling, how can I help you with your {a} today?",
  "I understand, let me look at the {a} details on your account.",
  "We can offer a better price on the {a} plan if you also take the {b}.",
  "Did the {a} team contact you about the {b} yet?",
  "Let me summarise: the {a} starts on Monday and the {b} follows a week later.",
  "That is a fair question, most customers use the {a} together with the {b}.",
  "I will send you the {a} quote by email right after this call.",
  "Would a demo of the {a} with your colleagues help you decide?",
];
const CUSTOMER = [
  "Hi, I have a question about the {a}, it does not fit our {b}.",
  "The {a} was great last year and we were happy with it.",
  "Honestly the {a} is too expensive compared with the {b} we have now.",
  "I am frustrated, the {a} was slow and nobody called me back about the {b}.",
  "That sounds good, thank you, what would the {a} cost for ten people?",
  "We had a problem with the {a} and the support was helpful.",
  "I need to talk to my manager about the {a} before we buy anything.",
  "Yes, please send the offer for the {a} and the {b}.",
];
const THINGS = ["router", "license", "contract", "upgrade", "invoice", "module", "training", "dashboard"];

export interface SeededCall {
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string;
  readonly language: string;
  /** Epoch ms. */
  readonly start_time: number;
  readonly duration_seconds: number;
  /** Which of `texts` it has. */
  readonly body: number;
  readonly sentiment: number;
  readonly talk_ratio: number;
  /** 384 values, unit length. */
  readonly vector: Float32Array;
}

export interface Seed {
  /** Lines "Agent: …" and "Customer: …" in turn, a text a body. */
  readonly texts: readonly (readonly string[])[];
  /** A unit vector near the topic of a body. */
  near(body: number): Float32Array;
  calls(): Generator<SeededCall>;
}

/** @param lines most lines a text has: 42 gives 3 KB; fewer make small calls for large counts */
export function seedOf(count: number, lines = 42): Seed {
  const next = random(1);
  const below = (n: number) => Math.floor(next() * n);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const normal = gaussian(next);
  const centres = Array.from({ length: TOPICS }, () =>
    normalize(Float32Array.from({ length: DIMENSIONS }, () => normal())),
  );
  const bias = Array.from({ length: TOPICS }, () => -0.3 + next() * 0.7);
  const texts = Array.from({ length: TOPICS * BODIES }, (_, body) => {
    const topic = String(Math.floor(body / BODIES)).padStart(2, "0");
    const thing = () => `${pick(THINGS)}-${topic}`;
    const say = (from: readonly string[]) => pick(from).replace("{a}", thing()).replace("{b}", thing());
    const turns = Math.max(2, Math.round(lines / 2) - below(Math.ceil(lines / 6)));
    return Array.from({ length: turns }, () => [`Agent: ${say(AGENT)}`, `Customer: ${say(CUSTOMER)}`]).flat();
  });
  const near = (topic: number) => {
    const centre = centres[topic] as Float32Array;
    const noise = SPREAD / Math.sqrt(DIMENSIONS);
    return normalize(centre.map((x) => x + noise * normal()));
  };
  return {
    texts,
    near: (body) => near(Math.floor(body / BODIES)),
    *calls() {
      for (let i = 0; i < count; i++) {
        const topic = below(TOPICS);
        yield {
          call_id: `call-${String(i).padStart(7, "0")}`,
          agent_id: `agent-${String(below(AGENTS)).padStart(3, "0")}`,
          customer_id: `cust-${String(below(200_000)).padStart(7, "0")}`,
          language: pick(LANGUAGES),
          start_time: END - below(DAYS * 86_400_000),
          duration_seconds: 60 + below(2_340),
          body: topic * BODIES + below(BODIES),
          sentiment: within((bias[topic] as number) + 0.35 * normal(), -1, 1),
          talk_ratio: within(0.52 + 0.14 * normal(), 0.02, 0.98),
          vector: near(topic),
        };
      }
    },
  };
}

function within(x: number, low: number, high: number): number {
  return Math.round(Math.min(high, Math.max(low, x)) * 1e4) / 1e4;
}

/** Standard normal numbers by Marsaglia's polar method. */
function gaussian(next: () => number): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const u = 2 * next() - 1;
      const v = 2 * next() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const k = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * k;
      return u * k;
    }
  };
}
