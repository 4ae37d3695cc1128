/**
 * Copies the log into a topic, in order, by one process of all that were started. A bookmark says how far, who does it and
 * until when others leave it to that one; it moves after the broker has what came before. Whoever loses it may
 * have sent events that the next one sends again: each carries its seq, and since everybody sends without gaps from where the
 * bookmark was, the first time an event shows in the topic it is in its place.
 */
import { setTimeout as delay } from "node:timers/promises";
import { EVERYTHING } from "../core/call.ts";
import type { Events } from "../ports/events.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Rollups } from "../ports/rollups.ts";
import type { TopicOut } from "../ports/topics.ts";
import { messagesOf } from "./event-messages.ts";
import { type Steady, startSteady } from "./steady.ts";

const STEP = 1_000;
/** Others take over from a process that has not been heard of for so long. */
const LEASE_MS = 10_000;
/** The bookmark is written at most so often while few events come. */
const LINGER_MS = 100;

export interface ExportDeps {
  readonly events: Pick<Events, "after" | "onChange" | "head">;
  readonly rollups: Pick<Rollups, "contributions">;
  readonly jobs: Pick<Jobs, "bookmark" | "moveBookmark">;
  readonly topic: TopicOut;
  /** The bookmark: one a topic. */
  readonly bookmark: string;
  readonly log_id: string;
  /** Unlike that of any other process. */
  readonly owner: string;
  /** Epoch ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Told why events do not get out, and null when they do. */
  readonly onChange: (problem: string | null) => void;
  /** Told of events that left the log before they could be sent. */
  readonly onGap: (from: number, to: number) => void;
  readonly onSent: (events: number) => void;
}

export interface Export extends Steady {
  /** Events of the log that the topic does not have for sure, whichever process sends them. */
  backlog(): Promise<number>;
}

interface Held {
  readonly seq: number;
  readonly value: string;
  readonly until: number;
}

export function startExport(deps: ExportDeps): Export {
  const { events, jobs, topic, bookmark, owner, now } = deps;
  let held: Held | null = null;
  let changed = Promise.withResolvers<void>();
  const unsubscribe = events.onChange(() => changed.resolve());

  const move = async (from: string | null, seq: number, lease_ms = LEASE_MS): Promise<boolean> => {
    const until = lease_ms === 0 ? 0 : now() + lease_ms;
    const value = `${seq} ${owner} ${until}`;
    if (!(await jobs.moveBookmark(bookmark, from, value))) return false;
    held = { seq, value, until };
    return true;
  };

  /** Makes the export this process's own; false while it is another's. */
  const take = async (): Promise<boolean> => {
    const value = await jobs.bookmark(bookmark);
    const { seq, who, until } = readBookmark(value);
    // A clock that was years ahead does not keep others out for years.
    const theirs = who !== owner && until > now() && until <= now() + 2 * LEASE_MS;
    return !theirs && (await move(value, seq));
  };

  const letGo = async (): Promise<void> => {
    const mine: Held | null = held;
    held = null;
    if (mine) await move(mine.value, mine.seq, 0);
    held = null;
  };

  const step = async (signal: AbortSignal): Promise<void> => {
    const idle = (ms: number) => delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    if ((held === null || held.until <= now()) && !(await take())) {
      held = null;
      await idle(LEASE_MS / 4);
      return;
    }
    const mine = held as unknown as Held;
    changed = Promise.withResolvers();
    const came = changed.promise;
    const page = await events.after(mine.seq, STEP, EVERYTHING);
    if (page.oldest > mine.seq + 1) deps.onGap(mine.seq + 1, page.oldest - 1);
    const last = page.events.at(-1)?.seq;
    if (last === undefined) {
      if (mine.until - now() < LEASE_MS / 2 && !(await move(mine.value, mine.seq))) held = null;
      await Promise.race([came, idle(LEASE_MS / 4)]);
      return;
    }
    await topic.send(await messagesOf(deps, page.events));
    deps.onSent(page.events.length);
    if (!(await move(mine.value, last))) held = null;
    if (page.events.length < STEP) await idle(LINGER_MS);
  };

  const steady = startSteady({
    step,
    random: deps.random,
    onChange: deps.onChange,
    // Another process may reach the broker where this one cannot.
    onFailure: () => letGo(),
    close: () => topic.close(),
  });

  return {
    problem: () => steady.problem(),
    async backlog() {
      const [head, value] = await Promise.all([events.head(), jobs.bookmark(bookmark)]);
      return Math.max(0, head - readBookmark(value).seq);
    },
    async stop() {
      unsubscribe();
      await steady.stop();
      await letGo().catch(() => undefined);
    },
  };
}

function readBookmark(value: string | null): { seq: number; who: string; until: number } {
  const [seq = "0", who = "", until = "0"] = value?.split(" ") ?? [];
  return { seq: Number(seq), who, until: Number(until) };
}
