/** The months that words and vectors lie in. */
import { AppError } from "../../../errors.ts";
import type { Database } from "./database.ts";

const DATE = /^call_texts_(\d{4})(\d{2})$/;
const TABLES = ["call_texts", "turn_search", "call_vectors", "call_codes", "segment_codes"] as const;

const DROP_WAIT_MS = 200;

interface Month {
  /** For example "202606". */
  readonly suffix: string;
  /** Epoch ms; `to` is outside. */
  readonly from: number;
  readonly to: number;
}

/** The month (UTC) of a time. */
export function monthOf(time: number): Month {
  const date = new Date(time);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const suffix = `${String(year).padStart(4, "0")}${String(month + 1).padStart(2, "0")}`;
  return { suffix, from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}

export class Partitions {
  readonly #db: Database;
  /** Those known to be there: what is written now lies in one or two. */
  readonly #there = new Map<string, Promise<void>>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Makes the month of `time`, and the one after it, before anybody writes there. */
  async ensure(time: number): Promise<void> {
    const month = monthOf(time);
    const known = this.#there.get(month.suffix);
    if (known) return known;
    const made = this.#make([month, monthOf(month.to)]);
    this.#there.set(month.suffix, made);
    made.catch(() => this.#there.delete(month.suffix));
    return made;
  }

  async #make(months: readonly Month[]): Promise<void> {
    for (const { suffix, from, to } of months) {
      await this.#db.get("SELECT make_partitions(?, ?, ?)", suffix, from, to);
    }
  }

  /** After an insert that found no partition: another process may have dropped it. */
  forget(): void {
    this.#there.clear();
  }

  /** The months that are there, oldest first. */
  async list(): Promise<Month[]> {
    const rows = await this.#db.all<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'call_texts'::regclass ORDER BY c.relname`,
    );
    return rows.flatMap(({ name }) => {
      const [, year, month] = DATE.exec(name) ?? [];
      return year === undefined ? [] : [monthOf(Date.UTC(Number(year), Number(month) - 1))];
    });
  }

  /**
   * Drops months that end at or before `before` and hold no call any more; their number. A month that is being read is left
   * for another night rather than waited for: everybody else would wait behind.
   */
  async dropEmpty(before: number): Promise<number> {
    let dropped = 0;
    for (const { suffix, from, to } of await this.list()) {
      if (to > before) break;
      this.#there.delete(suffix);
      const drop = this.#db.transaction(async (tx) => {
        const calls = await tx.all(
          "SELECT 1 FROM call_records WHERE created_at >= ? AND created_at < ? LIMIT 1",
          from,
          to,
        );
        if (calls.length > 0) return 0;
        await tx.run(`SET LOCAL lock_timeout = ${DROP_WAIT_MS}`);
        for (const table of TABLES) await tx.run(`DROP TABLE IF EXISTS ${table}_${suffix}`);
        return 1;
      });
      dropped += await drop.catch((cause: unknown) => {
        if (cause instanceof AppError) return 0;
        throw cause;
      });
    }
    return dropped;
  }
}
