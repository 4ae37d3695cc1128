/**
 * A store that is a copy: first all calls of the primary in order, then its log, event by event under the same seq. Where
 * it is goes into the same transaction as what was copied, so that a kill at any moment costs nothing but what was under
 * way. A log that no longer holds what comes next, or is another one, means the first part again, over what is there.
 */
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../errors.ts";
import type { WholeCall } from "../core/whole-call.ts";
import type { EventRow } from "../ports/events.ts";
import type { LogState, Mirror, Primary, WholeLiveCall } from "../ports/replication.ts";
import { subjectsOf } from "./originals.ts";

/** Calls in one transaction: a fraction of a second. */
const TOGETHER = 100;
/** Calls and events asked for at a time. */
const PAGE = 500;
/** Without a word of the primary it is asked so often. */
const ASK_MS = 1_000;
/** A revoked key is refused here after this and what access keeps (1.5 s). */
const STANDING_MS = 1_000;
/** Pause before the next try: doubled from the first up to the longest. */
const PAUSE_MS = [250, 2_000] as const;
/** Past this answers say that they are behind. */
const LATE_MS = 3_000;
const EVERY_CALL = Number.MAX_SAFE_INTEGER;

type Anchor = Pick<EventRow, "seq" | "at" | "type" | "call_id"> | null;

/** Kept with what was copied. */
interface Place {
  readonly phase: "load" | "follow";
  /** Loading: calls up to this call_no are here. */
  readonly after: number;
  /** The last event that is here; loading: the one that following begins after. */
  readonly seq: number;
  readonly anchor: Anchor;
  /** When everything was here that was there, epoch ms; null: never yet. */
  readonly whole_at: number | null;
}

const START: Place = { phase: "load", after: 0, seq: -1, anchor: null, whole_at: null };

export interface ReplicaState {
  /** The first load has not come to its end: what is here is a part. */
  readonly loading: boolean;
  /** The last event that is here. */
  readonly seq: number;
  /** Events that the primary had more when it was asked last. */
  readonly behind: number;
  /** For how long the primary may have had what is not here, ms; null: it was never all here. */
  readonly lag_ms: number | null;
  /** Whether answers should say that they may be old. */
  readonly late: boolean;
  /** Why nothing comes; null while something does. */
  readonly problem: string | null;
}

/** Before anything was asked. */
export const NOTHING_YET: ReplicaState = { loading: true, seq: 0, behind: 0, lag_ms: null, late: true, problem: null };

export interface Replication {
  readonly state: () => ReplicaState;
  stop(): Promise<void>;
}

interface ReplicateDeps {
  readonly primary: Primary;
  readonly mirror: Mirror;
  readonly now: () => number;
  /** All calls are here, at the start or after a load: what was in memory of log and vectors is void. */
  readonly onLoaded: () => void;
  /** The space of the primary's vectors, when it is known and whenever it changes. */
  readonly onSpace: (space_id: string) => void;
  /** Told why nothing comes (once), and when it comes again (null). */
  readonly onChange: (problem: string | null) => void;
}

function anchorOf(event: EventRow | null | undefined): Anchor {
  return event ? { seq: event.seq, at: event.at, type: event.type, call_id: event.call_id } : null;
}

/**
 * Copies until it is stopped; the first step is under way when this resolves. Rejects where the store cannot be a copy, or
 * has calls of its own.
 */
export async function followPrimary(
  deps: Omit<ReplicateDeps, "mirror"> & { readonly mirror: Mirror | undefined },
): Promise<Replication> {
  const { mirror } = deps;
  if (!mirror) throw new AppError("validation", "A replica needs a sqlite store");
  if (await mirror.foreign())
    throw new AppError("validation", "The database has calls of its own: a replica needs an empty one");
  return start({ ...deps, mirror }, await mirror.place());
}

function start(deps: ReplicateDeps, stored: string | null): Replication {
  const { primary, mirror, now } = deps;
  let place = stored === null ? START : (JSON.parse(stored) as Place);
  let wholeAt = place.whole_at;
  let behind = 0;
  let problem: string | null = null;
  let standingAt = Number.NEGATIVE_INFINITY;
  let allStand = false;
  let space: string | null = null;
  let fresh = true;
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  const unsubscribe = primary.onChange(() => woken.resolve());

  const moved = (to: Partial<Place>): Place => ({ ...place, whole_at: wholeAt, ...to });

  async function stand(): Promise<void> {
    if (now() - standingAt < STANDING_MS && now() >= standingAt) return;
    // A dead letter may be of a call that is not here yet.
    const standing = await primary.standing(!allStand);
    standingAt = now();
    if (!standing) return;
    allStand = false;
    const { changed, whole } = await mirror.stand(standing);
    for (const call_no of changed) await again(call_no);
    allStand = whole;
  }

  /** Reads one call anew. */
  async function again(call_no: number): Promise<void> {
    const calls: WholeCall[] = [];
    for await (const part of primary.calls(call_no - 1, 1)) if (part.kind === "call") calls.push(part.call);
    await mirror.apply({ calls: calls.filter(({ row }) => row.call_no === call_no) });
  }

  /** One page of calls; the last one begins the following. */
  async function load(): Promise<void> {
    let calls: WholeCall[] = [];
    const live: WholeLiveCall[] = [];
    let to = place;
    const put = async (): Promise<void> => {
      const last = calls.at(-1);
      if (!last) return;
      const range = { after: to.after, to: last.row.call_no };
      to = { ...to, after: range.to };
      await mirror.apply({ calls, range, place: JSON.stringify(to) });
      place = to;
      calls = [];
    };
    for await (const part of primary.calls(place.after, PAGE)) {
      if (part.kind === "log" && to.seq < 0) to = moved({ seq: part.log.head, anchor: anchorOf(part.log.last) });
      if (part.kind === "log") noteLog(part.log, to.seq);
      if (part.kind === "call" && calls.push(part.call) === TOGETHER) await put();
      if (part.kind === "live") live.push(part.live);
      if (part.kind !== "end") continue;
      await put();
      if (part.more) return;
      const followed: Place = { ...to, phase: "follow" };
      const range = { after: to.after, to: EVERY_CALL };
      const rest = { range, live, liveGone: "others", restart: Math.max(0, to.seq) } as const;
      await mirror.apply({ ...rest, place: JSON.stringify(followed) });
      place = followed;
      deps.onLoaded();
    }
  }

  function noteLog(log: LogState, seq: number): void {
    if (log.space_id !== null && log.space_id !== space) deps.onSpace((space = log.space_id));
    behind = Math.max(0, log.head - Math.max(0, seq));
  }

  /** What is in memory belongs to another log, or to one that was cut off. */
  function isLost({ head, oldest, last }: LogState): boolean {
    const { seq, anchor } = place;
    if (head < seq || oldest > seq + 1 || (oldest === 0 && head > seq)) return true;
    const found = anchorOf(last);
    return anchor !== null && found !== null && JSON.stringify(anchor) !== JSON.stringify(found);
  }

  /** One page of the log; false when there is nothing more for now. */
  async function follow(): Promise<boolean> {
    const asked_at = now();
    const events: EventRow[] = [];
    const live: WholeLiveCall[] = [];
    const seen = new Set<number>();
    let calls: WholeCall[] = [];
    let more = false;
    for await (const part of primary.changes(place.seq, PAGE)) {
      if (part.kind === "log") {
        if (isLost(part.log)) {
          place = { ...START, whole_at: wholeAt };
          await mirror.apply({ place: JSON.stringify(place) });
          return true;
        }
        noteLog(part.log, place.seq);
      }
      if (part.kind === "event") events.push(part.event);
      if (part.kind === "live") live.push(part.live);
      if (part.kind === "end") ({ more } = part);
      if (part.kind !== "call") continue;
      seen.add(part.call.row.call_no);
      if (calls.push(part.call) < TOGETHER) continue;
      await mirror.apply({ calls });
      calls = [];
    }
    const last = events.at(-1);
    if (last) {
      const about = subjectsOf(events);
      const going = new Set(live.map(({ row }) => row.call_id));
      const gone = about.call_nos.filter((call_no) => !seen.has(call_no));
      // Taking words out of the full text takes long: no transaction has many.
      for (; gone.length > TOGETHER; gone.splice(0, TOGETHER)) await mirror.apply({ gone: gone.slice(0, TOGETHER) });
      const liveGone = about.live.filter((call_id) => !going.has(call_id));
      const whole_at = more ? wholeAt : asked_at;
      const to = moved({ seq: last.seq, anchor: anchorOf(last), whole_at });
      await mirror.apply({ calls, gone, live, liveGone, events, place: JSON.stringify(to) });
      place = to;
      wholeAt = whole_at;
      behind = Math.max(0, behind - events.length);
    } else if (!more) {
      wholeAt = asked_at;
      // So that a restart without the primary knows that all was here once.
      if (place.whole_at === null) await mirror.apply({ place: JSON.stringify((place = moved({}))) });
    }
    return more;
  }

  async function wait(ms: number): Promise<void> {
    const waiting = new AbortController();
    const signal = AbortSignal.any([stopping.signal, waiting.signal]);
    await Promise.race([woken.promise, delay(ms, undefined, { signal }).catch(() => undefined)]);
    waiting.abort();
  }

  async function run(): Promise<void> {
    let failures = 0;
    if (place.phase === "follow") deps.onLoaded();
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers();
      try {
        await stand();
        const busy = place.phase === "load" ? await load().then(() => true) : await follow();
        failures = 0;
        if (problem !== null || fresh) deps.onChange((problem = null));
        fresh = false;
        if (!busy) await wait(ASK_MS);
      } catch (error) {
        if (stopping.signal.aborted) return;
        const said = error instanceof Error ? error.message : String(error);
        if (problem !== said) deps.onChange(said);
        problem = said;
        const [first, longest] = PAUSE_MS;
        await delay(Math.min(longest, first * 2 ** failures++), undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  const running = run();
  return {
    state() {
      const lag_ms = wholeAt === null ? null : Math.max(0, now() - wholeAt);
      const late = lag_ms === null || lag_ms > LATE_MS;
      return { loading: wholeAt === null, seq: Math.max(0, place.seq), behind, lag_ms, late, problem };
    },
    async stop() {
      stopping.abort();
      unsubscribe();
      primary.close();
      await running;
    },
  };
}
