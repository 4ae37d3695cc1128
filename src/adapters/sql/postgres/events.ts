/**
 * The event log. What has committed is numbered before anybody reads (sequence_events), so a reader sees all that was
 * acknowledged before it asked. Commits of other processes are heard of by NOTIFY, and by looking now and then: a pooler
 * in transaction mode passes no notification on.
 */
import type pg from "pg";
import type { Scope } from "../../../core/call.ts";
import type { EventRow, Events } from "../../../ports/events.ts";
import { parseEvent, type StoredEvent } from "../events.ts";
import { EVENTS } from "../statements.ts";
import type { Database } from "./database.ts";
import { storeFault } from "./fault.ts";

/** Between looks at the log while notifications come, and while none can. */
const LISTENING_POLL_MS = 2_000;
const POLL_MS = 250;
/** Listeners are told of commits that follow each other quickly so often at most: each of them reads what is new. */
const TELL_MS = 20;
/** Between tries to listen again. */
const RECONNECT_MS = 1_000;

const NUMBER = "SELECT head, pg_current_wal_insert_lsn()::text AS at FROM sequence_events() AS head";

export class EventLog implements Events {
  readonly #db: Database;
  readonly #onError: (cause: unknown) => void;
  #listeners = new Set<() => void>();
  #known = 0;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;
  #telling: NodeJS.Timeout | null = null;
  #told = Number.NEGATIVE_INFINITY;
  #client: pg.Client | null = null;
  /** The numbering under way, and the one that begins after it: who comes meanwhile shares that one. */
  #numbering: Promise<number> | null = null;
  #next: Promise<number> | null = null;

  private constructor(db: Database, onError: (cause: unknown) => void) {
    this.#db = db;
    this.#onError = onError;
  }

  static async open(db: Database, onError: (cause: unknown) => void): Promise<EventLog> {
    const log = new EventLog(db, onError);
    log.#known = await log.#sequence();
    void log.#listen();
    log.#pollSoon();
    return log;
  }

  async after(seq: number, limit: number, scope: Scope): Promise<{ events: EventRow[]; oldest: number; head: number }> {
    const head = this.#heard(await this.#sequence());
    const oldest = (await this.#db.get<{ seq: number }>(EVENTS.oldest))?.seq ?? 0;
    // Nothing is before the oldest row: skip what retention dropped.
    const from = Math.max(seq, oldest - 1);
    return { events: from < head ? await this.#step(from, head, limit, scope) : [], oldest, head };
  }

  async head(): Promise<number> {
    return this.#heard(await this.#sequence());
  }

  onChange(listener: () => void): () => void {
    // One function may listen twice.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** A commit of this process has added events. */
  committed(): void {
    this.#sequence().then(
      (head) => this.#heard(head),
      (cause: unknown) => this.#onError(cause),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#telling) clearTimeout(this.#telling);
    this.#listeners.clear();
    await this.#client?.end().catch(() => undefined);
    await Promise.allSettled([this.#numbering, this.#next]);
  }

  /** Numbers all that has committed until now; the head. One that has begun already may have missed the last commit. */
  #sequence(): Promise<number> {
    if (!this.#numbering) {
      const numbering = this.#number().finally(() => {
        this.#numbering = null;
      });
      this.#numbering = numbering;
      return numbering;
    }
    this.#next ??= this.#numbering
      .catch(() => 0)
      .then(() => {
        this.#next = null;
        return this.#sequence();
      });
    return this.#next;
  }

  async #number(): Promise<number> {
    const row = await this.#db.get<{ head: number; at: string }>(NUMBER);
    // Whoever hears of an event finds what it is about, whichever server is asked.
    if (row) this.#db.heard(row.at);
    return row?.head ?? 0;
  }

  async #step(from: number, to: number, limit: number, scope: Scope): Promise<EventRow[]> {
    return (await this.#rows(from, to, limit, scope)).map(parseEvent);
  }

  #rows(from: number, to: number, limit: number, scope: Scope): Promise<StoredEvent[]> {
    if (scope.kind === "agent") return this.#db.all(EVENTS.afterOfAgent, from, to, scope.agent_id, limit);
    if (scope.kind === "team") return this.#db.all(EVENTS.afterOfTeam, from, to, scope.team, limit);
    return this.#db.all(EVENTS.after, from, to, limit);
  }

  /** Tells the listeners once of every head that is new. */
  #heard(head: number): number {
    if (head <= this.#known || this.#closed) return head;
    this.#known = head;
    if (this.#telling) return head;
    const pause = this.#told + TELL_MS - performance.now();
    if (pause <= 0) this.#tell();
    else this.#telling = setTimeout(() => this.#tell(), pause).unref();
    return head;
  }

  #tell(): void {
    this.#telling = null;
    this.#told = performance.now();
    for (const listener of this.#listeners) listener();
  }

  #pollSoon(): void {
    if (this.#closed) return;
    const pause = this.#client ? LISTENING_POLL_MS : POLL_MS;
    this.#timer = setTimeout(() => void this.#poll().finally(() => this.#pollSoon()), pause).unref();
  }

  async #poll(): Promise<void> {
    try {
      this.#heard(await this.#sequence());
    } catch (cause) {
      this.#onError(cause);
    }
  }

  /** Listens until the connection ends, then tries again; not behind a pooler, which would lend the connection to others. */
  async #listen(): Promise<void> {
    while (!this.#closed) {
      const client = this.#db.dedicated();
      const ended = new Promise<void>((resolve) => client.once("end", resolve));
      client.on("error", () => undefined);
      client.on("notification", ({ payload }) => {
        // Looked at here, so that how far the log has come is known before anybody is told (replicas.ts).
        if (Number(payload) > this.#known) void this.#poll();
      });
      try {
        await client.connect();
        if (!(await isDirect(client))) {
          await client.end();
          return;
        }
        await client.query("LISTEN earshot_events");
        this.#client = client;
        if (this.#closed) await client.end();
        // What came before there was somebody to listen.
        else await this.#poll();
        await ended;
      } catch (cause) {
        if (!this.#closed && !storeFault(cause)) this.#onError(cause);
      }
      this.#client = null;
      await client.end().catch(() => undefined);
      if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS).unref());
    }
  }
}

/** A pooler gives its clients process numbers of its own. */
async function isDirect(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid === (client as pg.Client & { processID: number | null }).processID;
}
