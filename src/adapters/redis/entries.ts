/** The events in one capped Redis stream. An entry's id is `seq-0`: Redis itself refuses what it has already. */
import type { EventRow } from "../../ports/events.ts";
import { connect } from "./connect.ts";

/** About as many entries are kept, some 3 MB: who is further behind reads the log. */
const KEPT = 10_000;
/** A read waits so long for something new. */
const BLOCK_MS = 1_000;

const DOUBLE = "ID specified in XADD is equal or smaller";

/** Entries of one log, over two connections: one waits in reads, the other adds. Each method rejects once it is lost. */
export interface Entries {
  /** The newest seq there; 0 where there is none. */
  newest(): Promise<number>;
  /** Adds events in order; those that are there are passed over. */
  add(events: readonly EventRow[]): Promise<void>;
  /** Events with seq > after as soon as there are any, in order, but not for sure the very next; none after a second. */
  read(after: number, limit: number): Promise<EventRow[]>;
  clear(): Promise<void>;
  close(): void;
}

/** Connects to the entries of the log of this name, unless `signal` ends that. */
export async function openEntries(url: string, log_id: string, signal: AbortSignal): Promise<Entries> {
  // In a cluster the part in braces decides where it lies.
  const key = `earshot:{${log_id}}:events`;
  const writer = await connect(url, key, signal);
  const reader = await connect(url, key, signal).catch((error: unknown) => {
    writer.destroy();
    throw error;
  });
  return {
    async newest() {
      const entries = await writer.xRevRange(key, "+", "-", { COUNT: 1 });
      return seqOf(entries?.[0]?.id ?? "0");
    },
    async add(events) {
      const TRIM = { strategy: "MAXLEN", strategyModifier: "~", threshold: KEPT } as const;
      // Sent together, in order.
      const added = events.map((event) =>
        writer.xAdd(key, `${event.seq}-0`, { event: JSON.stringify(event) }, { TRIM }),
      );
      for (const one of await Promise.allSettled(added)) {
        if (one.status === "rejected" && !String(one.reason).includes(DOUBLE)) throw one.reason;
      }
    },
    async read(after, limit) {
      const found = await reader.xRead({ key, id: `${after}-0` }, { BLOCK: BLOCK_MS, COUNT: limit });
      const messages = (found?.[0]?.messages ?? []) as { message: { event: string } }[];
      return messages.map(({ message }) => JSON.parse(message.event) as EventRow);
    },
    async clear() {
      await writer.del(key);
    },
    close() {
      for (const client of [writer, reader]) if (client.isOpen) client.destroy();
    },
  };
}

function seqOf(id: string): number {
  return Number(id.split("-", 1)[0]);
}
