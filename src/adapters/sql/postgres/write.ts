/** What every write works with inside its transaction: statements, and what goes in with it at the end. */
import type { Scope } from "../../../core/call.ts";
import type { EventFacts } from "../write-context.ts";
import { INTERN } from "../statements.ts";
import type { SearchWords } from "../search-words.ts";
import type { Database, Transaction, Value } from "./database.ts";
import type { Partitions } from "./partitions.ts";
import { PendingSums } from "./sums.ts";

/** What writes of one process share. */
export interface WriteDeps {
  readonly db: Database;
  readonly partitions: Partitions;
  readonly words: SearchWords;
  /** agent_id -> agent_no of what has been committed. */
  readonly agents: Map<string, number>;
  /** Time zone -> its days. */
  readonly days: Map<string, (time: number) => number>;
}

interface PendingEvent extends EventFacts {
  readonly at: number;
}

const ADD_EVENTS = `INSERT INTO events_new (type, at, call_no, call_id, agent_id, revision, customer_sentiment_score,
    agent_talk_ratio, state, reason, turn_index, position, turn_sentiment, live_sentiment, rule_id, evidence)
  SELECT type, at, call_no, call_id, agent_id, revision, score, ratio, state, reason, turn_index, position, turn_sentiment,
    live_sentiment, rule_id, evidence
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::integer[], $7::float8[], $8::float8[],
    $9::text[], $10::text[], $11::integer[], $12::integer[], $13::float8[], $14::float8[], $15::text[], $16::text[])
    WITH ORDINALITY AS e(type, at, call_no, call_id, agent_id, revision, score, ratio, state, reason, turn_index, position,
      turn_sentiment, live_sentiment, rule_id, evidence, n) ORDER BY n`;

export class Write {
  readonly sums: PendingSums;
  readonly words: SearchWords;
  readonly #tx: Transaction;
  #events: PendingEvent[] = [];

  constructor(tx: Transaction, { words, agents, days }: WriteDeps) {
    this.#tx = tx;
    this.words = words;
    this.sums = new PendingSums(agents, days);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string, ...params: readonly Value[]): Promise<Row[]> {
    return this.#tx.all<Row>(sql, ...params);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  async get<Row>(sql: string, ...params: readonly Value[]): Promise<Row | undefined> {
    return (await this.#tx.all<Row>(sql, ...params))[0];
  }

  /** Runs a statement; the number of rows it touched. */
  run(sql: string, ...params: readonly Value[]): Promise<number> {
    return this.#tx.run(sql, ...params);
  }

  /** Whether the asker may touch a call of this agent. */
  async inScope(scope: Scope, agent_id: string): Promise<boolean> {
    if (scope.kind === "all") return true;
    if (scope.kind === "agent") return scope.agent_id === agent_id;
    return (await this.get<{ team: string | null }>(INTERN.team, agent_id))?.team === scope.team;
  }

  /** Appends to the log when the transaction ends. */
  event(at: number, facts: EventFacts): void {
    this.#events.push({ ...facts, at });
  }

  /** Whether the transaction adds to the log. */
  get logs(): boolean {
    return this.#events.length > 0;
  }

  /**
   * Runs `work` so that it happens as a whole or not at all within the transaction, and rethrows.
   */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const events = this.#events.length;
    const sums = this.sums.mark();
    await this.run("SAVEPOINT one");
    try {
      const value = await work();
      await this.run("RELEASE SAVEPOINT one");
      return value;
    } catch (cause) {
      this.#events.length = events;
      this.sums.rollback(sums);
      await this.run("ROLLBACK TO SAVEPOINT one");
      throw cause;
    }
  }

  /** The last statements before COMMIT: events, and then the sums, whose rows many want. */
  async finish(): Promise<void> {
    const e = this.#events;
    if (e.length > 0) {
      await this.run(
        ADD_EVENTS,
        e.map((x) => x.type),
        e.map((x) => x.at),
        e.map((x) => x.call_no),
        e.map((x) => x.call_id),
        e.map((x) => x.agent_id),
        e.map((x) => x.revision),
        e.map((x) => x.customer_sentiment_score ?? null),
        e.map((x) => x.agent_talk_ratio ?? null),
        e.map((x) => x.state),
        e.map((x) => x.reason ?? null),
        e.map((x) => x.turn_index ?? null),
        e.map((x) => x.position ?? null),
        e.map((x) => x.turn_sentiment ?? null),
        e.map((x) => x.live_sentiment ?? null),
        e.map((x) => x.rule_id ?? null),
        e.map((x) => (x.evidence ? JSON.stringify(x.evidence) : null)),
      );
    }
    await this.sums.flush(this);
  }
}

/** Runs `work` as one transaction with all that belongs to it; `logged` is called when it has added to the log. */
export async function writing<T>(deps: WriteDeps, logged: () => void, work: (write: Write) => Promise<T>): Promise<T> {
  const { value, logs, agents } = await deps.db.transaction(async (tx) => {
    const write = new Write(tx, deps);
    const value = await work(write);
    await write.finish();
    return { value, logs: write.logs, agents: write.sums.made };
  });
  for (const [agent_id, agent_no] of agents) deps.agents.set(agent_id, agent_no);
  if (logs) logged();
  return value;
}
