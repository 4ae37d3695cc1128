import { EVERYTHING } from "../../src/core/call.ts";
import type { Events } from "../../src/ports/events.ts";

export interface EventFollower {
  /** Seqs as they came. */
  readonly seqs: readonly number[];
  /** Resolves once an event with this seq or a later one has come. */
  reaches(seq: number): Promise<void>;
  stop(): void;
}

/** Follows as the product does: asks for what is after the last one whenever it is told of a change. */
export async function follow(events: Events, after?: number): Promise<EventFollower> {
  const seqs: number[] = [];
  let seq = after ?? (await events.head());
  let waiting: { seq: number; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let reading = false;
  let again = false;
  const settle = (): void => {
    for (const one of waiting) if (one.seq <= seq) one.resolve();
    waiting = waiting.filter((one) => one.seq > seq);
  };
  const read = async (): Promise<void> => {
    again = true;
    if (reading) return;
    reading = true;
    try {
      while (again) {
        again = false;
        const page = await events.after(seq, 500, EVERYTHING);
        seqs.push(...page.events.map((event) => event.seq));
        seq = page.events.at(-1)?.seq ?? seq;
        if (page.events.length > 0) again = true;
      }
      settle();
    } catch (error) {
      for (const one of waiting) one.reject(error);
    } finally {
      reading = false;
    }
  };
  const stop = events.onChange(() => void read());
  await read();
  return {
    seqs,
    reaches(seq) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ seq, resolve, reject });
      settle();
      return promise;
    },
    stop,
  };
}
