/** The rhythm of a call: how soon the agent answers, how often the speaker changes. */
import type { Speech } from "./speech.ts";

export interface AnswerGap {
  /** Milliseconds from the customer's end to the agent's start; 0 where the agent starts before the end. */
  readonly ms: number;
  readonly customer_turn: number;
  readonly agent_turn: number;
}

/** Every change from customer to agent, backchannels left out. Needs timings. */
export function answerGaps(speech: Speech): AnswerGap[] {
  const out: AnswerGap[] = [];
  let customer: { readonly index: number; readonly end: number } | null = null;
  for (const t of speech.turns) {
    if (t.backchannel) continue;
    if (t.speaker === "customer") {
      if (!customer || t.end > customer.end) customer = { index: t.index, end: t.end };
    } else if (customer) {
      out.push({ ms: Math.max(0, t.start - customer.end), customer_turn: customer.index, agent_turn: t.index });
      customer = null;
    }
  }
  return out;
}

/** Changes of speaker, turns of fewer than three words ignored. */
export function speakerSwitches(speech: Speech): number {
  const long = speech.turns.filter((t) => t.words.all >= 3);
  return long.filter((t, i) => i > 0 && long[i - 1]?.speaker !== t.speaker).length;
}
