/** Notices of work in Redis: a stream for each priority, read by one group of workers, all in one slot of a cluster. */
import { PRIORITY } from "../../ports/calls.ts";
import type { Priority } from "../../ports/calls.ts";
import type { Notice } from "../../ports/dispatch.ts";
import { connect, ended } from "./connect.ts";

const GROUP = "workers";
/** A read waits so long for something new, and its answer so much longer. */
const BLOCK_MS = 1_000;
const LATE_MS = 500;
/** Of bulk and recalculation so many are told ahead: the store has the others, and they are told of as these go. */
const AHEAD = 2_000;
/** Of the others, where nobody works: what is dropped is found in the store. */
const KEPT = 100_000;
/** Workers that have said nothing for so long are forgotten. */
const GONE_MS = 3_600_000;

/** A notice as it lies there. */
export interface Entry extends Notice {
  readonly id: string;
}

/** Notices of one store, over a connection that waits in reads (for a worker) and one for the rest. */
export interface WorkStreams {
  add(notices: readonly Notice[]): Promise<void>;
  /**
   * Up to n entries that nobody has read, best priority first, `most_low` of them at most of bulk and recalculation; a few more where
   * they come just then; none after a second. Until they are settled they may be claimed.
   */
  read(n: number, most_low: number): Promise<Entry[]>;
  /** Takes entries off the lists. */
  settle(entries: readonly Entry[]): Promise<void>;
  /** Entries that somebody read `idle_ms` ago and never settled, now given to this worker. */
  claim(idle_ms: number): Promise<Entry[]>;
  /** The first `limit` calls on the list of a priority. */
  calls(priority: Priority, limit: number): Promise<ReadonlySet<number | null>>;
  /** True for one worker of all, once in about `ms`. */
  myTurn(ms: number): Promise<boolean>;
  length(): Promise<number>;
  /** Rejects once a connection is lost. */
  readonly lost: Promise<never>;
  close(): void;
}

/** Connects to the notices of the log of this name; `worker`: the name to read them under, null: they are only added to. */
export async function openWorkStreams(
  url: string,
  log_id: string,
  worker: string | null,
  signal: AbortSignal,
): Promise<WorkStreams> {
  // In a cluster the part in braces decides where they lie: all four together, and not with the events.
  const tag = `earshot:{${log_id}:work}`;
  const keys = Object.keys(PRIORITY).map((name) => `${tag}:${name}`);
  const keyOf = (priority: Priority): string => keys[priority] as string;
  const writer = await connect(url, tag, signal);
  const reader = worker === null ? writer : await connect(url, tag, signal).catch(closing);

  function closing(error: unknown): never {
    writer.destroy();
    throw error;
  }

  const makeGroups = async (): Promise<void> => {
    for (const key of keys) {
      await writer.xGroupCreate(key, GROUP, "0", { MKSTREAM: true }).catch((error: unknown) => {
        if (!String(error).includes("BUSYGROUP")) throw error;
      });
    }
  };
  const forgetGone = async (): Promise<void> => {
    for (const key of keys) {
      for (const { name, pending, idle } of await writer.xInfoConsumers(key, GROUP)) {
        if (pending === 0 && idle > GONE_MS) await writer.xGroupDelConsumer(key, GROUP, name);
      }
    }
  };
  if (worker !== null) await makeGroups().then(forgetGone).catch(closing);

  const readFrom = async (from: readonly string[], count: number, block: number | null): Promise<Entry[]> => {
    const streams = from.map((key) => ({ key, id: ">" }));
    const options = { COUNT: count, ...(block !== null && { BLOCK: block }) };
    const found = await inTime(reader.xReadGroup(GROUP, worker ?? "", streams, options), (block ?? 0) + LATE_MS);
    const lists = (found ?? []) as { name: string; messages: Message[] }[];
    // Redis answers in the order asked; which list an entry is of decides.
    return lists.flatMap(({ name, messages }) => toEntries(keys.indexOf(name) as Priority, messages));
  };

  return {
    async add(notices) {
      const byPriority = Object.groupBy(notices, ({ priority }) => priority);
      for (const [name, some = []] of Object.entries(byPriority)) {
        const priority = Number(name) as Priority;
        const key = keyOf(priority);
        const low = priority >= PRIORITY.bulk;
        const room = low ? Math.max(0, AHEAD - (await writer.xLen(key))) : some.length;
        const TRIM = { strategy: "MAXLEN", strategyModifier: "~", threshold: KEPT } as const;
        // Sent together, in order.
        await Promise.all(
          some.slice(0, room).map(({ call_no }) => writer.xAdd(key, "*", { call: String(call_no ?? "") }, { TRIM })),
        );
      }
    },
    async read(n, most_low) {
      try {
        for (const [i, key] of keys.entries()) {
          const count = i >= PRIORITY.bulk ? Math.min(n, most_low) : n;
          const entries = await readFrom([key], count, null);
          if (entries.length > 0) return entries;
        }
        return await readFrom(keys, Math.max(1, Math.floor(Math.min(n, most_low) / keys.length)), BLOCK_MS);
      } catch (error) {
        // The server was emptied.
        if (!String(error).includes("NOGROUP")) throw error;
        await makeGroups();
        return [];
      }
    },
    async settle(entries) {
      // Both or none: what stays on a list without being anybody's would never be told again.
      const transaction = writer.multi();
      for (const { id, priority } of entries) {
        transaction.xAck(keyOf(priority), GROUP, id).xDel(keyOf(priority), id);
      }
      await transaction.exec();
    },
    async claim(idle_ms) {
      const claimed: Entry[] = [];
      for (const [i, key] of keys.entries()) {
        const { messages } = await writer.xAutoClaim(key, GROUP, worker ?? "", idle_ms, "0", { COUNT: 100 });
        claimed.push(
          ...toEntries(
            i as Priority,
            messages.filter((message) => message !== null),
          ),
        );
      }
      return claimed;
    },
    async calls(priority, limit) {
      const found = (await writer.xRange(keyOf(priority), "-", "+", { COUNT: limit })) ?? [];
      return new Set(toEntries(priority, found as Message[]).map(({ call_no }) => call_no));
    },
    async myTurn(ms) {
      return (await writer.set(`${tag}:turn`, "", { condition: "NX", expiration: { type: "PX", value: ms } })) !== null;
    },
    async length() {
      const lengths = await Promise.all(keys.map((key) => writer.xLen(key)));
      return lengths.reduce((sum, length) => sum + length, 0);
    },
    lost: ended([writer, reader]),
    close() {
      for (const client of [writer, reader]) if (client.isOpen) client.destroy();
    },
  };
}

interface Message {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}

function toEntries(priority: Priority, messages: readonly Message[]): Entry[] {
  return messages.map(({ id, message }) => {
    const call_no = Number(message["call"] ?? "");
    return { id, priority, call_no: Number.isSafeInteger(call_no) && call_no > 0 ? call_no : null };
  });
}

/** Rejects where the answer takes longer. */
async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
