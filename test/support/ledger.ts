/** What clients were told, held against what the store holds: nothing acknowledged is lost, doubled or half done. */
import { type Eye, openEye } from "./eye.ts";

type Operation = "accept" | "replace" | "remove";

interface Entry {
  /** The revision the client knows of; null: no such call. */
  revision: number | null;
  /** What was sent and not answered: it has happened as a whole or not at all. */
  doubt: Operation | null;
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  #acknowledged = 0;

  /** Calls acknowledged in all: accepted, replaced, removed. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Calls that are there for sure. */
  get alive(): number {
    return [...this.#entries.values()].filter((entry) => entry.revision !== null).length;
  }

  sending(call_id: string, operation: Operation): void {
    const entry = this.#entries.get(call_id) ?? { revision: null, doubt: null };
    entry.doubt = operation;
    this.#entries.set(call_id, entry);
  }

  /** The answer; `revision` null after a removal. */
  acknowledge(call_id: string, revision: number | null): void {
    this.#acknowledged++;
    this.#entries.set(call_id, { revision, doubt: null });
  }

  /** An answer that says nothing was done. */
  refuse(call_id: string): void {
    const entry = this.#entries.get(call_id);
    if (entry) entry.doubt = null;
  }

  /** Calls whose last operation got no answer. */
  doubtful(operation: Operation): string[] {
    return [...this.#entries].filter(([, entry]) => entry.doubt === operation).map(([call_id]) => call_id);
  }

  /**
   * Compares with the database (a file, or postgres://…), whose server may run. Answers what is wrong, in sentences; what
   * was in doubt is known afterwards.
   */
  async compare(place: string): Promise<string[]> {
    const db = await openEye(place);
    try {
      const rows = await db.all<Row>("SELECT call_id, revision FROM call_records");
      const there = new Map(rows.map((row) => [row.call_id, row.revision]));
      const wrong = [...this.#wrongCalls(there), ...(await this.#wrongEvents(there, db)), ...(await wrongSums(db))];
      return wrong.slice(0, 20);
    } finally {
      await db.close();
    }
  }

  #wrongCalls(there: ReadonlyMap<string, number>): string[] {
    const wrong: string[] = [];
    for (const [call_id, entry] of this.#entries) {
      const found = there.get(call_id) ?? null;
      if (!possible(entry).includes(found)) {
        wrong.push(`${call_id}: revision ${found}, acknowledged ${entry.revision}, in doubt ${entry.doubt}`);
      }
      entry.revision = found;
      // A call that is not there is not there by an answer or as far as its sender knows: it may send it again.
      if (found !== null || entry.doubt !== "accept") entry.doubt = null;
    }
    for (const call_id of there.keys()) if (!this.#entries.has(call_id)) wrong.push(`${call_id} was never sent`);
    return wrong;
  }

  /** The log is dense; each call was accepted once and replaced as often as its revision says. */
  async #wrongEvents(there: ReadonlyMap<string, number>, db: Eye): Promise<string[]> {
    const wrong: string[] = [];
    const [log] = await db.all<{ n: number; last: number }>("SELECT count(*) AS n, max(seq) AS last FROM events");
    if (log && log.n > 0 && log.n !== log.last) wrong.push(`${log.n} events up to seq ${log.last}`);
    const counts = await db.all<Counts>(
      `SELECT call_id, count(*) FILTER (WHERE type = 'call.accepted') AS accepted, count(DISTINCT call_no) AS numbers,
           count(*) FILTER (WHERE type = 'call.replaced') AS replaced, count(*) FILTER (WHERE type = 'call.deleted') AS deleted
         FROM events GROUP BY call_id`,
    );
    for (const { call_id, accepted, numbers, replaced, deleted } of counts) {
      const revision = there.get(call_id);
      const right = accepted === 1 && numbers === 1 && deleted === (revision === undefined ? 1 : 0);
      if (right && (revision === undefined || replaced === revision - 1)) continue;
      wrong.push(
        `${call_id}: revision ${revision}, accepted ${accepted}, replaced ${replaced}, deleted ${deleted} times`,
      );
    }
    const logged = new Set(counts.map((count) => count.call_id));
    for (const call_id of there.keys()) if (!logged.has(call_id)) wrong.push(`${call_id} has no event`);
    return wrong;
  }
}

interface Row {
  readonly call_id: string;
  readonly revision: number;
}

interface Counts {
  readonly call_id: string;
  readonly accepted: number;
  readonly numbers: number;
  readonly replaced: number;
  readonly deleted: number;
}

/** Revisions that the answers so far allow. */
function possible({ revision, doubt }: Entry): (number | null)[] {
  switch (doubt) {
    case null:
      return [revision];
    case "accept":
      return [null, 1];
    case "replace":
      return [revision, (revision ?? 0) + 1];
    case "remove":
      return [revision, null];
  }
}

/** The served count of calls of each agent equals a recount; fresh ones are counted by whoever asks. */
async function wrongSums(db: Eye): Promise<string[]> {
  const served = await db.all(
    `SELECT a.agent_id, r.n FROM rollups AS r JOIN agents AS a ON a.agent_no = r.agent_no
       WHERE r.generation = (SELECT serving FROM rollup_state) AND r.grain = 3 ORDER BY 1`,
  );
  const counted = await db.all(
    `SELECT agent_id, count(*) AS n FROM call_records WHERE ${db.inSums} GROUP BY 1 ORDER BY 1`,
  );
  const [a, b] = [JSON.stringify(served), JSON.stringify(counted)];
  return a === b ? [] : [`calls by agent: served ${a}, counted ${b}`];
}

/**
 * What must hold once all work is done: no work is left, each call's insights are there once and were saved once for
 * its revision, by the model as the last of all where `model` says so; then there is one call vector a call.
 */
export async function undone(place: string, { model }: { model: boolean }): Promise<string[]> {
  const db = await openEye(place);
  try {
    const count = async (sql: string) => (await db.all<{ n: number }>(sql))[0]?.n ?? 0;
    const state = model ? "enriched" : "degraded";
    const calls = await count("SELECT count(*) AS n FROM call_records");
    const numbers = {
      work: [await count("SELECT count(*) AS n FROM work"), 0],
      [state]: [await count(`SELECT count(*) AS n FROM call_records WHERE state = '${state}'`), calls],
      insights: [await count("SELECT count(*) AS n FROM call_insights"), calls],
      "calls saved once for their revision": [
        await count(
          // Counted in one pass: the log has no index by call, and one look a call took minutes at a hundred thousand.
          `SELECT count(*) AS n FROM call_records AS c JOIN
             (SELECT call_no, revision, count(*) AS saves FROM events WHERE type = 'call.enriched' AND state = '${state}'
              GROUP BY call_no, revision) AS e ON e.call_no = c.call_no AND e.revision = c.revision
           WHERE e.saves = 1`,
        ),
        calls,
      ],
      vectors: [await count("SELECT count(*) AS n FROM call_codes"), model ? calls : 0],
    };
    return Object.entries(numbers).flatMap(([name, [found, wanted]]) =>
      found === wanted ? [] : [`${name}: ${found}, not ${wanted}`],
    );
  } finally {
    await db.close();
  }
}
