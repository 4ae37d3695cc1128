/**
 * One group of commands = one durable transaction. When a command fails, the group is undone and tried again with a
 * savepoint each, so that it fails alone; a full disk or an I/O error refuses the whole group, and nothing is written.
 */
import type { RequestKey } from "../../ports/idempotency.ts";
import type { CommandName, Commands, Failure, Input, SqlResult } from "./commands.ts";
import { isBusy, storeFault } from "./store-error.ts";
import { acceptFrom } from "./write-accept-from.ts";
import { accept, dropWords, erase, purge, remove, replace, reprocess } from "./write-calls.ts";
import type { WriteContext } from "./write-context.ts";
import { save } from "./write-enrichment.ts";
import { rollupsCompare, rollupsFlip, rollupsRecount, rollupsStart, rollupsSweep } from "./write-rollups.ts";
import { clockWentBack, fail, redrive, release, renew, requeueDegraded, take } from "./write-work.ts";
import { pruneEvents } from "./write-events.ts";
import { beginJob } from "./write-jobs.ts";
import { appendLive, endLive, saveLive, startLive } from "./write-live.ts";
import { mirror } from "./write-mirror.ts";
import { once, pruneKeys } from "./write-once.ts";
import { settle } from "./write-settle.ts";
import { giveBack } from "./write-space.ts";

type Handlers = { [K in CommandName]: (context: WriteContext, input: Commands[K]["in"]) => Commands[K]["out"] };

const HANDLERS: Handlers = {
  accept,
  acceptFrom,
  replace,
  reprocess,
  save,
  remove,
  erase,
  purge,
  dropWords,
  settle,
  take,
  renew,
  fail,
  release,
  clockWentBack,
  requeueDegraded,
  redrive,
  beginJob,
  startLive,
  appendLive,
  endLive,
  saveLive,
  pruneEvents,
  pruneKeys,
  giveBack,
  rollupsStart,
  rollupsRecount,
  rollupsCompare,
  rollupsFlip,
  rollupsSweep,
  mirror,
  sql: (context, { statements }) => statements.map(({ sql, params }) => runSql(context, sql, params)),
};

function runSql(context: WriteContext, sql: string, params: readonly unknown[]): SqlResult {
  const statement = context.prepare(sql);
  if (!statement.reader) return { changes: statement.run(...params).changes, rows: [] };
  const rows = statement.all(...params) as Record<string, unknown>[];
  return { changes: rows.length, rows };
}

export interface GroupCommand {
  readonly name: CommandName;
  readonly input: unknown;
  readonly key?: RequestKey | undefined;
}

type Outcome = { readonly value: unknown } | { readonly failure: Failure };

export type GroupResult =
  /** Another connection holds the lock; nothing was tried. */
  | { readonly status: "busy" }
  | {
      readonly status: "done";
      readonly outcomes: Outcome[];
      readonly committed: boolean;
      /** The last event's seq if the group added events. */
      readonly head: number | null;
      readonly erased: boolean;
    };

/** Runs the commands in order and commits; when it returns "done" with outcomes, those are on disk. */
export function runGroup(context: WriteContext, commands: readonly GroupCommand[]): GroupResult {
  try {
    context.careful = false;
    return commit(context, commands);
  } catch (cause) {
    context.rollback();
    if (isBusy(cause)) return { status: "busy" };
    if (storeFault(cause)) return refused(commands, cause);
  }
  try {
    context.careful = true;
    return commit(context, commands);
  } catch (cause) {
    context.rollback();
    return isBusy(cause) ? { status: "busy" } : refused(commands, cause);
  }
}

function commit(context: WriteContext, commands: readonly GroupCommand[]): GroupResult {
  context.prepare("BEGIN IMMEDIATE").run();
  const outcomes = commands.map((command) => runOne(context, command));
  context.sums.flush();
  context.prepare("COMMIT").run();
  return { status: "done", outcomes, committed: true, ...context.committed() };
}

function runOne(context: WriteContext, { name, input, key }: GroupCommand): Outcome {
  const handler = HANDLERS[name] as (context: WriteContext, input: unknown) => unknown;
  // Steps of a rebuild move the line between the generations: what came before must be settled on its side.
  if (name.startsWith("rollups")) context.sums.flush();
  try {
    if (key) {
      const command = { name, input: input as Input<CommandName>, key };
      return { value: context.savepoint(() => once(context, command, () => handler(context, input))) };
    }
    // Rows of accept have savepoints of their own.
    if (name === "accept") return { value: handler(context, input) };
    return { value: context.savepoint(() => handler(context, input)) };
  } catch (cause) {
    if (!context.careful || storeFault(cause)) throw cause;
    return { failure: failureOf(cause) };
  }
}

function refused(commands: readonly GroupCommand[], cause: unknown): GroupResult {
  const failure = failureOf(cause);
  const outcomes = commands.map(() => ({ failure }));
  return { status: "done", outcomes, committed: false, head: null, erased: false };
}

/** An error as a message between threads. */
export function failureOf(cause: unknown): Failure {
  const fault = storeFault(cause);
  if (fault) {
    const code = fault.code === "storage_full" ? "storage_full" : "store_unavailable";
    return { code, message: fault.message, retry_after: fault.retryAfter };
  }
  return { code: null, message: cause instanceof Error ? cause.message : String(cause) };
}
