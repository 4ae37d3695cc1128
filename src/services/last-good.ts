/**
 * The last good answers: what stands in while the store cannot be read. Kept as the bytes that were sent, for the
 * same scope and address only, bounded in bytes and age. Words that were erased or replaced must not come back: the
 * log says which calls, and what cannot be held against the log is not given out.
 */
import { LRUCache } from "lru-cache";
import { EVERYTHING } from "../core/call.ts";
import type { EventRow, Events } from "../ports/events.ts";

/** What an answer shows: one call; several calls, or what was said in others; figures without a call's words. */
export type Holds = "call" | "calls" | "figures";

/** Bytes kept at most; the longest unused go first. */
const LAST_GOOD_BYTES: Readonly<Record<Holds, number>> = {
  call: 20 * 2 ** 20,
  calls: 8 * 2 ** 20,
  figures: 4 * 2 ** 20,
};
export const LAST_GOOD_SECONDS = 600;

/**
 * New entries a second: a flood of ever other calls would push everything out before it is of use, and the churn costs a
 * tenth of the server's time. What is kept already is renewed all the same.
 */
const NEW_A_SECOND = 200;
const STEP = 500;
const RETRY_MS = 250;
/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 512;

interface GoodAnswer {
  bytes: Buffer;
  readonly tag: string;
  readonly type: string;
  /** What the answer itself says is degraded, as its header has it. */
  readonly degraded: string | null;
  /** When the store last said so, epoch ms. */
  at: number;
  /** True once the bytes say that they are a stand-in. */
  marked: boolean;
}

/** Where an answer belongs. */
export interface Place {
  readonly holds: Holds;
  /** Names the call where `holds` is "call"; else the address with its query. */
  readonly name: string;
  /** What the asker may see: answers never cross it. */
  readonly sight: string;
  /** `epoch()` when the request came. */
  readonly epoch: number;
}

export interface LastGood {
  /** Counts what was dropped: an answer that was begun before is not kept after. */
  epoch(): number;
  /** Keeps a copy of the bytes. */
  keep(place: Place, answer: Omit<GoodAnswer, "at" | "marked">): void;
  /** The store has just confirmed that the answer with this tag is the present one. */
  confirm(place: Place, tag: string): void;
  find(place: Place): GoodAnswer | null;
  stop(): void;
}

export interface LastGoodDeps {
  readonly events: Pick<Events, "head" | "after" | "onChange">;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Answers to one name, each to another sight: nearly always one. */
type Kept = readonly (GoodAnswer & { readonly sight: string })[];

export function createLastGood({ events, now }: LastGoodDeps): LastGood {
  const kept: Record<Holds, LRUCache<string, Kept>> = {
    call: new LRUCache({ maxSize: LAST_GOOD_BYTES.call }),
    calls: new LRUCache({ maxSize: LAST_GOOD_BYTES.calls }),
    figures: new LRUCache({ maxSize: LAST_GOOD_BYTES.figures }),
  };
  let epoch = 0;
  let second = 0;
  let fresh = 0;
  /** The last event taken in; null until the log was first read: before that nothing can be trusted. */
  let seq: number | null = null;
  let reading = false;
  let again = false;
  let behind = true;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;

  function forget(): void {
    epoch++;
    kept.call.clear();
    kept.calls.clear();
  }

  function drop(page: readonly EventRow[]): void {
    let gone = false;
    for (const { type, call_id } of page) {
      if (type !== "call.deleted" && type !== "call.replaced") continue;
      gone = true;
      kept.call.delete(call_id);
    }
    if (!gone) return;
    epoch++;
    kept.calls.clear();
  }

  function mayBegin(at: number): boolean {
    const present = Math.floor(at / 1000);
    if (present !== second) fresh = 0;
    second = present;
    return fresh++ < NEW_A_SECOND;
  }

  async function catchUp(): Promise<void> {
    seq ??= await events.head();
    for (;;) {
      const from: number = seq;
      const page = await events.after(from, STEP, EVERYTHING);
      // A gap in the log: anything may have gone.
      if (page.oldest > from + 1) forget();
      drop(page.events);
      seq = page.events.at(-1)?.seq ?? Math.max(from, page.oldest - 1);
      if (page.events.length < STEP) return;
    }
  }

  async function follow(): Promise<void> {
    behind = true;
    again = true;
    if (reading || stopped) return;
    reading = true;
    try {
      while (again) {
        again = false;
        await catchUp();
      }
      behind = false;
    } catch {
      // Something changed and it cannot be seen what.
      forget();
      clearTimeout(retry);
      retry = setTimeout(() => void follow(), RETRY_MS);
      retry.unref();
    } finally {
      reading = false;
    }
  }
  const unsubscribe = events.onChange(() => void follow());
  void follow();

  return {
    epoch: () => epoch,

    keep({ holds, name, sight, epoch: begun }, { bytes, tag, type, degraded }) {
      if (begun !== epoch || seq === null) return;
      const list = kept[holds];
      const known = list.peek(name);
      const at = now();
      const same = known?.find((a) => a.sight === sight && a.tag === tag && !a.marked);
      if (same !== undefined) {
        same.at = at;
        // Marks it as used.
        list.get(name);
        return;
      }
      if (known === undefined && !mayBegin(at)) return;
      const others = known?.filter((a) => a.sight !== sight) ?? [];
      const answers = [...others, { bytes: ownBytes(bytes), tag, type, degraded, sight, at, marked: false }];
      let size = 0;
      for (const answer of answers) size += answer.bytes.length + ENTRY_BYTES;
      list.set(name, answers, { size });
    },

    confirm({ holds, name, sight }, tag) {
      const answer = kept[holds].get(name)?.find((a) => a.sight === sight);
      if (answer?.tag === tag) answer.at = now();
    },

    find({ holds, name, sight }) {
      if (behind && holds !== "figures") return null;
      const answer = kept[holds].get(name)?.find((a) => a.sight === sight);
      return answer !== undefined && now() - answer.at <= LAST_GOOD_SECONDS * 1000 ? answer : null;
    },

    stop() {
      stopped = true;
      clearTimeout(retry);
      unsubscribe();
    },
  };
}

/** A copy: what was sent lies in memory that is used again, or in a block of Node's, of 64 KB, that it shares with others. */
function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
