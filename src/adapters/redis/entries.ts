/** The events in one capped Redis stream. An entry's id is `seq-0`: Redis itself refuses what it has already. */
import { createClient } from "@redis/client";
import type { EventRow } from "../../ports/events.ts";

/** About as many entries are kept, some 3 MB: who is further behind reads the log. */
const KEPT = 10_000;
/** A read waits so long for something new. */
const BLOCK_MS = 1_000;
const CONNECT_MS = 2_000;
/** A server that says nothing for so long hangs; with nothing to say it answers reads and pings every second. */
const SILENCE_MS = 2_500;

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

/** @throws where the server does not answer, refuses us or turns silent, and once `signal` says so */
async function connect(url: string, signal: AbortSignal) {
  const client = createClient({
    url,
    // Whoever asks is to know at once, and decides what comes then.
    disableOfflineQueue: true,
    pingInterval: BLOCK_MS,
    socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
  });
  // What goes wrong rejects the commands under way, and the next ones.
  client.on("error", () => {});
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    await Promise.race([client.connect(), aborted.promise]);
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return client;
}

/** Connects to the entries of the log of this name, unless `signal` ends that. */
export async function openEntries(url: string, log_id: string, signal: AbortSignal): Promise<Entries> {
  // In a cluster the part in braces decides where it lies.
  const key = `earshot:{${log_id}}:events`;
  const writer = await connect(url, signal);
  const reader = await connect(url, signal).catch((error: unknown) => {
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
