/** What every command of the writer thread works with: prepared statements, interned numbers, pending sums. */
import type { Statement } from "better-sqlite3";
import type { Scope } from "../../core/call.ts";
import type { EventRow } from "../../ports/events.ts";
import type { Connection } from "./connection.ts";
import { type Part, PART_CALLS } from "./full-text-parts.ts";
import { RollupSums } from "./rollup-sums.ts";
import { type SearchWords, searchWordsOf } from "./search-words.ts";
import { EVENTS, INTERN } from "./statements.ts";
import { MIRROR } from "./statements-mirror.ts";

type Facts = Pick<EventRow, "type" | "call_no" | "call_id" | "agent_id" | "revision" | "state">;

/** The facts of one event; those that are left out are null. */
export type EventFacts = Facts & Partial<Omit<EventRow, keyof Facts | "seq" | "at">>;

export class WriteContext {
  readonly db: Connection;
  readonly sums: RollupSums;
  readonly words: SearchWords;
  /** Whether each command and row of the group has a savepoint: the second try, after one of them has failed. */
  careful = false;
  /** Calls accepted here since the last settling; some may have settled by their enrichment (write-settle.ts). */
  fresh = 0;
  /** The part of the full text that new calls belong to, as it was seen last. */
  openPart: Part | null = null;
  /** The part whose words a purge takes out a turn at a time, once that is decided. */
  turnByTurn: { readonly from_call_no: number; readonly before: number } | null = null;
  /** Calls in a part of the full text. */
  readonly part_calls: number;
  #statements = new Map<string, Statement>();
  #agents = new Map<string, number>();
  #spaces = new Map<string, number>();
  #head: number | null = null;
  #erased = false;

  constructor(db: Connection, timezone: string, part_calls = PART_CALLS) {
    this.db = db;
    this.part_calls = part_calls;
    this.sums = new RollupSums(this, timezone);
    this.words = searchWordsOf(db);
  }

  /** The prepared statement of a fixed SQL text. */
  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  get<Row>(sql: string, ...params: unknown[]): Row | undefined {
    return this.prepare(sql).get(...params) as Row | undefined;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string, ...params: unknown[]): Row[] {
    return this.prepare(sql).all(...params) as Row[];
  }

  /** Runs a statement; the number of changed rows. */
  run(sql: string, ...params: unknown[]): number {
    return this.prepare(sql).run(...params).changes;
  }

  agentNo(agent_id: string): number {
    return this.#intern(this.#agents, INTERN.agent, INTERN.agentNo, agent_id);
  }

  spaceNo(space_id: string): number {
    return this.#intern(this.#spaces, INTERN.space, INTERN.spaceNo, space_id);
  }

  #intern(known: Map<string, number>, insert: string, select: string, id: string): number {
    let no = known.get(id);
    if (no === undefined) {
      this.run(insert, id);
      no = (this.get<{ no: number }>(select, id) as { no: number }).no;
      known.set(id, no);
    }
    return no;
  }

  /** Whether the asker may touch a call of this agent. */
  inScope(scope: Scope, agent_id: string): boolean {
    if (scope.kind === "all") return true;
    if (scope.kind === "agent") return scope.agent_id === agent_id;
    return this.get<{ team: string | null }>(INTERN.team, agent_id)?.team === scope.team;
  }

  /** Appends to the log. */
  event(now: number, facts: EventFacts): void {
    const { lastInsertRowid } = this.prepare(EVENTS.append).run(
      facts.type,
      now,
      facts.call_no,
      facts.call_id,
      facts.agent_id,
      facts.revision,
      facts.customer_sentiment_score ?? null,
      facts.agent_talk_ratio ?? null,
      facts.state,
      facts.reason ?? null,
      facts.turn_index ?? null,
      facts.position ?? null,
      facts.turn_sentiment ?? null,
      facts.live_sentiment ?? null,
      facts.rule_id ?? null,
      facts.evidence ? JSON.stringify(facts.evidence) : null,
    );
    this.#head = Number(lastInsertRowid);
  }

  /** Puts an event of another store into the log, as it is there. */
  copyEvent({ seq, type, at, call_no, call_id, agent_id, revision, evidence, ...facts }: EventRow): void {
    this.run(
      MIRROR.event,
      seq,
      type,
      at,
      call_no,
      call_id,
      agent_id,
      revision,
      facts.customer_sentiment_score,
      facts.agent_talk_ratio,
      facts.state,
      facts.reason,
      facts.turn_index,
      facts.position,
      facts.turn_sentiment,
      facts.live_sentiment,
      facts.rule_id,
      evidence && JSON.stringify(evidence),
    );
    this.#head = seq;
  }

  /** Remembers that bytes were erased, so that the WAL is emptied soon. */
  erased(): void {
    this.#erased = true;
  }

  /**
   * Runs `work` so that it happens as a whole or not at all within the open transaction, and rethrows. At first try a
   * group has no savepoints (each would copy every page it touches) and any error ends the whole transaction.
   */
  savepoint<T>(work: () => T): T {
    if (!this.careful) return work();
    const mark = this.sums.mark();
    this.prepare("SAVEPOINT one").run();
    try {
      const value = work();
      // What it adds to the sums may be what fails: inside, it fails alone too.
      this.sums.flush();
      this.prepare("RELEASE one").run();
      return value;
    } catch (cause) {
      // A full disk or an I/O error may have ended the whole transaction already.
      if (this.db.inTransaction) this.db.exec("ROLLBACK TO one; RELEASE one");
      this.sums.rollback(mark);
      this.#forget();
      throw cause;
    }
  }

  /** What the committed group did, and a clean slate. */
  committed(): { head: number | null; erased: boolean } {
    const done = { head: this.#head, erased: this.#erased };
    this.#head = null;
    this.#erased = false;
    return done;
  }

  /** Undoes the open transaction, if there is one still, and what was remembered of it. */
  rollback(): void {
    if (this.db.inTransaction) this.db.exec("ROLLBACK");
    this.sums.rollback(0);
    this.#forget();
    this.committed();
  }

  /** Numbers handed out in what was rolled back must not be used again. */
  #forget(): void {
    this.openPart = null;
    this.#agents.clear();
    this.#spaces.clear();
  }
}
