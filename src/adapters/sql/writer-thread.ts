/**
 * The writing thread of the process: one connection, and group commit. What arrives while a group is being committed
 * is the next group. A foreign lock is waited for here, in short tries, so that every command has its own bound.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { AppError } from "../../errors.ts";
import type { RequestKey } from "../../ports/idempotency.ts";
import { freeLostLeases } from "./alone.ts";
import type { Answer, CommandName, Failure, Reply, Request, WriterSettings } from "./commands.ts";
import { Checkpoints } from "./checkpoints.ts";
import { type Connection, openForWriting } from "./connection.ts";
import { refuseMoved } from "./move/refuse.ts";
import { WriteContext } from "./write-context.ts";
import { failureOf, runGroup } from "./write-group.ts";
import { CALLS } from "./statements.ts";
import { FRESH_LIMIT } from "./write-settle.ts";

/** One try for a foreign lock; between tries new messages are read. */
const TRY_MS = 40;
/** How long after an erasure the WAL is emptied at the latest when writes go on, and between tries. */
const SCRUB_MS = 250;
/** Without a write for so long, the thread settles what is fresh. */
const QUIET_MS = 100;
const BACKUP_PAGES = 400;

if (!parentPort) throw new Error("writer-thread.ts runs as a worker thread");
const port = parentPort;
const settings = workerData as WriterSettings;
const { group_rows } = settings;

interface Waiting {
  readonly id: number;
  readonly name: CommandName;
  readonly input: unknown;
  readonly key: RequestKey | undefined;
  readonly arrived: number;
  readonly rows: number;
}

const queue: Waiting[] = [];
let scheduled = false;
let scrubTimer: NodeJS.Timeout | null = null;
let settleTimer: NodeJS.Timeout | null = null;
let closing: number | null = null;
let backups = 0;

let checkpoints: Checkpoints | null = null;

const context = start();

function start(): WriteContext | null {
  try {
    refuseMoved(settings.path);
    freeLostLeases(settings.path);
    const db = openForWriting(settings.path);
    const opened = new WriteContext(db, settings.timezone, settings.part_calls);
    opened.sums.start();
    opened.fresh = opened.get<{ n: number }>(CALLS.fresh)?.n ?? 0;
    db.pragma(`busy_timeout = ${TRY_MS}`);
    checkpoints = new Checkpoints(db);
    post({ kind: "ready" });
    return opened;
  } catch (cause) {
    const failure: Failure =
      cause instanceof AppError ? { code: "store_unavailable", message: cause.message } : failureOf(cause);
    post({ kind: "unready", failure });
    port.close();
    return null;
  }
}

function post(reply: Reply): void {
  port.postMessage(reply);
}

function answer(answers: Answer[]): void {
  post({ kind: "answers", answers, head: null, commit: false });
}

port.on("message", (requests: readonly Request[]) => {
  if (!context) return;
  for (const request of requests) receive(context, request);
  schedule();
});

function receive(to: WriteContext, request: Request): void {
  const { id } = request;
  switch (request.kind) {
    case "command": {
      const { name, input, key } = request;
      const accepts = name === "accept" || name === "acceptFrom";
      const rows = accepts ? (input as { rows: unknown[] }).rows.length : 1;
      queue.push({ id, name, input, key, arrived: performance.now(), rows });
      break;
    }
    case "backup":
      void backup(to.db, id, request.path);
      break;
    case "scrub":
      answer([{ id, value: scrub(to.db) }]);
      break;
    case "close":
      closing = id;
      break;
  }
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  // After all messages that have arrived, and after a step of a running backup.
  setImmediate(work);
}

function work(): void {
  scheduled = false;
  if (!context) return;
  if (queue.length > 0) commitGroup(context);
  if (context.fresh >= FRESH_LIMIT) settleFresh(context);
  else if (context.fresh > 0) settleSoon(context);
  checkpoints?.written();
  if (queue.length > 0) schedule();
  else if (closing !== null && backups === 0) void close(context, closing);
}

function commitGroup(to: WriteContext): void {
  let rows = 0;
  let n = 0;
  while (n < queue.length && (n === 0 || rows + (queue[n] as Waiting).rows <= group_rows)) {
    rows += (queue[n] as Waiting).rows;
    n++;
  }
  const result = runGroup(to, queue.slice(0, n));
  if (result.status === "busy") {
    expire();
    return;
  }
  const group = queue.splice(0, n);
  const answers = result.outcomes.map((outcome, i) => Object.assign(outcome, { id: (group[i] as Waiting).id }));
  post({ kind: "answers", answers, head: result.head, commit: result.committed });
  if (result.erased) scrubSoon(to.db);
}

/** Once nothing has been written for a moment: many calls at once are cheaper, and lists without fresh ones too. */
function settleSoon(to: WriteContext): void {
  settleTimer ??= setTimeout(() => {
    settleTimer = null;
    if (closing === null && to.fresh > 0) settleFresh(to);
  }, QUIET_MS);
  settleTimer.refresh();
}

/** After the answers of a group, so that only who comes next waits; again later after a foreign lock or a fault. */
function settleFresh(to: WriteContext): void {
  const { fresh } = to;
  const result = runGroup(to, [{ name: "settle", input: { limit: fresh } }]);
  if (result.status === "done" && result.committed) to.fresh -= fresh;
  else settleSoon(to);
}

/** Refuses what has waited long enough for a foreign lock. */
function expire(): void {
  const late = performance.now() - settings.lock_wait_ms;
  const failure: Failure = {
    code: "store_unavailable",
    message: "The database is locked by another process",
    retry_after: 1,
  };
  const answers: Answer[] = [];
  while (queue[0] && queue[0].arrived <= late) answers.push({ id: (queue.shift() as Waiting).id, failure });
  if (answers.length > 0) answer(answers);
}

/** Empties the WAL, where erased bytes live on until it is overwritten. False while a reader is in the way. */
function scrub(db: Connection): boolean {
  try {
    const [row] = db.pragma("wal_checkpoint(TRUNCATE)") as [{ busy: number }];
    return row.busy === 0;
  } catch {
    return false;
  }
}

function scrubSoon(db: Connection): void {
  if (scrubTimer) return;
  scrubTimer = setTimeout(() => {
    scrubTimer = null;
    if (closing === null && !scrub(db)) scrubSoon(db);
  }, SCRUB_MS);
}

/**
 * Copies the file page by page between groups, on this connection: a copy from another one starts anew at every write
 * and would never end. The file appears under its name when it is whole and on disk.
 */
async function backup(db: Connection, id: number, path: string): Promise<void> {
  const partial = `${path}.partial`;
  backups++;
  try {
    rmSync(partial, { force: true });
    closeSync(openSync(partial, "wx", 0o600));
    await db.backup(partial, {
      progress: ({ totalPages, remainingPages }) => {
        // A shutdown does not wait for a copy that may take an hour.
        if (closing !== null) throw new AppError("shutting_down");
        post({ kind: "progress", id, done: totalPages - remainingPages, total: totalPages });
        return BACKUP_PAGES;
      },
    });
    const file = openSync(partial, "r+");
    fsyncSync(file);
    closeSync(file);
    renameSync(partial, path);
    answer([{ id, value: null }]);
  } catch (cause) {
    rmSync(partial, { force: true });
    answer([{ id, failure: failureOf(cause) }]);
  } finally {
    backups--;
    schedule();
  }
}

async function close(to: WriteContext, id: number): Promise<void> {
  if (scrubTimer) clearTimeout(scrubTimer);
  if (settleTimer) clearTimeout(settleTimer);
  await checkpoints?.stop();
  scrub(to.db);
  to.db.close();
  checkpoints?.close();
  answer([{ id, value: null }]);
  port.close();
}
