/** The event log, read on the loop; commits of other processes are noticed by PRAGMA data_version. */
import type { Scope } from "../../core/call.ts";
import type { EventRow, Events } from "../../ports/events.ts";
import type { LoopReader } from "./loop-reader.ts";
import { ENGINE, EVENTS } from "./statements.ts";

const POLL_MS = 250;
/** Log rows looked at in one step: an agent's events may be rare. */
const STEP = 5_000;
/** Listeners are told of commits that follow each other quickly so often at most: each of them reads what is new. */
const TELL_MS = 20;
/** The newest events are kept so far: everybody who follows the log asks for the same few after each commit. */
const TAIL = 1_000;

/** As it lies there: a list is JSON. */
export interface StoredEvent extends Omit<EventRow, "evidence"> {
  readonly evidence: string | null;
}

export function parseEvent(row: StoredEvent): EventRow {
  const evidence = row.evidence === null ? null : (JSON.parse(row.evidence) as number[]);
  return Object.assign(row, { evidence });
}

export class EventLog implements Events {
  readonly #reader: LoopReader;
  #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout;
  #version: number;
  #known: number;
  #told = Number.NEGATIVE_INFINITY;
  #telling: NodeJS.Timeout | null = null;
  /** Without a gap, up to the last one read. */
  #tail: EventRow[] = [];

  constructor(reader: LoopReader, onPollError: (cause: unknown) => void) {
    this.#reader = reader;
    this.#version = reader.dataVersion();
    this.#known = this.#readHead();
    this.#timer = setInterval(() => {
      try {
        this.#poll();
      } catch (cause) {
        onPollError(cause);
      }
    }, POLL_MS).unref();
  }

  async after(seq: number, limit: number, scope: Scope): Promise<{ events: EventRow[]; oldest: number; head: number }> {
    const head = this.#readHead();
    const oldest = this.#reader.get<{ seq: number }>(EVENTS.oldest)?.seq ?? 0;
    const recent = scope.kind === "all" ? this.#recent(seq, head, oldest) : null;
    if (recent) return { events: recent.slice(0, limit), oldest, head };
    const events: EventRow[] = [];
    // Nothing is before the oldest row: skip what retention dropped.
    let from = Math.max(seq, oldest - 1);
    while (from < head && events.length < limit) {
      const to = Math.min(head, from + STEP);
      events.push(...this.#step(from, to, limit - events.length, scope));
      from = to;
      if (from < head && events.length < limit) await this.#reader.turn();
    }
    if (scope.kind === "all" && events.at(-1)?.seq === head) this.#tail = events.slice(-TAIL);
    return { events, oldest, head };
  }

  /** What follows `seq`, if the tail reaches from there to the head, all of it still in the log. */
  #recent(seq: number, head: number, oldest: number): EventRow[] | null {
    const [first] = this.#tail;
    if (first === undefined || first.seq < oldest || seq < first.seq - 1) return null;
    return this.#tail.at(-1)?.seq === head ? this.#tail.slice(seq - first.seq + 1) : null;
  }

  async head(): Promise<number> {
    return this.#readHead();
  }

  onChange(listener: () => void): () => void {
    // One function may listen twice.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** A commit of this process added events up to `head`. */
  committed(head: number): void {
    if (head <= this.#known) return;
    this.#known = head;
    if (this.#telling) return;
    const pause = this.#told + TELL_MS - performance.now();
    if (pause <= 0) this.#tell();
    else this.#telling = setTimeout(() => this.#tell(), pause).unref();
  }

  /** The log was emptied and goes on from another seq. */
  restarted(): void {
    this.#tail = [];
    this.#known = this.#readHead();
    this.#tell();
  }

  #tell(): void {
    this.#telling = null;
    this.#told = performance.now();
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    if (this.#telling) clearTimeout(this.#telling);
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #poll(): void {
    const version = this.#reader.dataVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.committed(this.#readHead());
  }

  #step(from: number, to: number, limit: number, scope: Scope): EventRow[] {
    return this.#rows(from, to, limit, scope).map(parseEvent);
  }

  #rows(from: number, to: number, limit: number, scope: Scope): StoredEvent[] {
    if (scope.kind === "agent") return this.#reader.all(EVENTS.afterOfAgent, from, to, scope.agent_id, limit);
    if (scope.kind === "team") return this.#reader.all(EVENTS.afterOfTeam, from, to, scope.team, limit);
    return this.#reader.all(EVENTS.after, from, to, limit);
  }

  #readHead(): number {
    return this.#reader.get<{ seq: number }>(ENGINE.head)?.seq ?? 0;
  }
}
