/** What is done once a night: calls past their time are erased, old events and request keys dropped, daily figures computed again. */
import type { Idempotency } from "../ports/idempotency.ts";
import type { Jobs } from "../ports/jobs.ts";

const DAY_BOOKMARK = "nightly.day";
const HOUR = 3;
const DAY_MS = 86_400_000;
const LOOK_MS = 10 * 60_000;
/** The log serves readers that were away for up to a week. */
const EVENT_DAYS = 7;

export interface NightlyDeps {
  readonly jobs: Pick<Jobs, "bookmark" | "moveBookmark">;
  readonly timezone: string;
  readonly now: () => number;
  /** Erases calls past their time. */
  readonly expire: () => Promise<unknown>;
  readonly recalculate: () => Promise<void>;
  readonly pruneEvents: (before: number) => Promise<number>;
  readonly idempotency: Pick<Idempotency, "prune">;
  readonly onError: (error: unknown) => void;
}

/**
 * Runs the night's work if it is past three o'clock here and no process has taken today's upon itself (a bookmark in
 * the store says so, moved by one alone); whether it ran. On the first day it only sets the bookmark: there is nothing old yet. A clock
 * that was put back over midnight does not make it run again; one that was years ahead does not stop it for years.
 */
export async function nightly(deps: NightlyDeps): Promise<boolean> {
  const now = deps.now();
  const { day, hour } = localTime(now, deps.timezone);
  const done = await deps.jobs.bookmark(DAY_BOOKMARK);
  if (done !== null && (hour < HOUR || (done >= day && Date.parse(done) - Date.parse(day) <= DAY_MS))) return false;
  if (!(await deps.jobs.moveBookmark(DAY_BOOKMARK, done, day)) || done === null) return false;
  const works = [
    () => deps.pruneEvents(now - EVENT_DAYS * DAY_MS),
    () => deps.idempotency.prune(),
    deps.expire,
    deps.recalculate,
  ];
  // One that fails must not keep the others from their night.
  for (const work of works) await work().catch(deps.onError);
  return true;
}

/** Looks every ten minutes, so that a machine that slept through the night catches up. */
export function startNightly(deps: NightlyDeps): () => void {
  const look = () => void nightly(deps).catch(deps.onError);
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function localTime(now: number, timeZone: string): { day: string; hour: number } {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    hourCycle: "h23",
  }).formatToParts(now);
  const part = (type: string): string => parts.find((p) => p.type === type)?.value ?? "";
  return { day: `${part("year")}-${part("month")}-${part("day")}`, hour: Number(part("hour")) };
}
