/** Sums per agent and period, counted from nothing but the messages of a topic of events. */
import type { EventMessage } from "./event-message.ts";
import { MEASURE_NAMES, type MeasureName } from "./measures.ts";

/** Integer sums, in millionths of the measure's unit: exact in any order. */
export interface ExactSum {
  n: number;
  sum: bigint;
  sum_squares: bigint;
}

interface PeriodSums {
  readonly agent_id: string;
  /** All accepted calls. */
  calls: number;
  readonly measures: Map<MeasureName, ExactSum>;
}

/** Period -> agent_id -> sums. */
export type Periods = Map<string, Map<string, PeriodSums>>;

interface CountedCall {
  readonly seq: number;
  readonly agent_id: string;
  readonly start_time: string | null;
  readonly measures: EventMessage["measures"];
}

/** Takes in the messages of one store, repeats and all, and knows what there is of each call at the end. */
export class TopicCalls {
  readonly #calls = new Map<string, CountedCall>();
  readonly #seen = new Map<number, number>();
  #first = 0;
  #last = 0;
  #taken = 0;
  #repeats = 0;

  /** `part`: where the message lies; those of a part come in order. */
  take(message: EventMessage, part: number): void {
    const { seq, call_id } = message;
    if (seq <= (this.#seen.get(part) ?? 0)) {
      this.#repeats++;
      return;
    }
    this.#seen.set(part, seq);
    this.#taken++;
    this.#first = this.#first === 0 ? seq : Math.min(this.#first, seq);
    this.#last = Math.max(this.#last, seq);
    // A topic that was given more parts has earlier events of a call in another one.
    if (seq < (this.#calls.get(call_id)?.seq ?? 0)) return;
    if (message.type === "call.deleted") this.#calls.delete(call_id);
    else if (message.type === "call.accepted" || message.type === "call.replaced") {
      this.#calls.set(call_id, { ...kept(message), measures: null });
    } else if (message.type === "call.enriched" && message.measures !== null) this.#calls.set(call_id, kept(message));
  }

  /** `missing`: events between the first and the last that did not come. */
  get counts(): { first: number; last: number; taken: number; repeats: number; missing: number } {
    const between = this.#last === 0 ? 0 : this.#last - this.#first + 1;
    const [first, last, taken, repeats] = [this.#first, this.#last, this.#taken, this.#repeats];
    return { first, last, taken, repeats, missing: between - taken };
  }

  /** `periodOf`: epoch ms -> the name of the period that a call belongs to. */
  sums(periodOf: (time: number) => string): Periods {
    const periods: Periods = new Map();
    for (const { agent_id, start_time, measures } of this.#calls.values()) {
      // The event that says when comes after the last one here.
      if (start_time === null) continue;
      const period = periodOf(Date.parse(start_time));
      const agents = periods.get(period) ?? new Map<string, PeriodSums>();
      periods.set(period, agents);
      const sums = agents.get(agent_id) ?? { agent_id, calls: 0, measures: new Map<MeasureName, ExactSum>() };
      agents.set(agent_id, sums);
      sums.calls++;
      for (const name of MEASURE_NAMES) addTo(sums.measures, name, measures?.[name]);
    }
    return periods;
  }
}

function kept({ seq, agent_id, start_time, measures }: EventMessage): CountedCall {
  return { seq, agent_id, start_time, measures };
}

function addTo(sums: Map<MeasureName, ExactSum>, name: MeasureName, value: number | undefined): void {
  if (value === undefined) return;
  const sum = sums.get(name) ?? { n: 0, sum: 0n, sum_squares: 0n };
  sum.n++;
  sum.sum += BigInt(Math.round(value * 1e6));
  sum.sum_squares += BigInt(Math.round(value * value * 1e6));
  sums.set(name, sum);
}
