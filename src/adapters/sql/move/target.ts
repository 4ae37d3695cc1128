/**
 * A PostgreSQL database as the target of a move. What is there of it stands in store_move and store_move_parts, written in
 * the transactions that copy; while these tables are there, no process serves the database.
 */
import { AppError } from "../../../errors.ts";
import type { CopiedPart, MoveKind, MoveTarget, PartSums, TableSum } from "../../../ports/move.ts";
import { Database } from "../postgres/database.ts";
import { migrate, schemaVersion } from "../postgres/migrate.ts";
import { monthOf } from "../postgres/partitions.ts";
import { digestSql } from "./encode.ts";
import { KEY_COLUMN, MOVED, type MovedTable } from "./tables.ts";

const TABLES = `CREATE TABLE store_move (only_row integer PRIMARY KEY CHECK (only_row = 1), move_id text NOT NULL,
    indexes text NOT NULL);
  CREATE TABLE store_move_parts (kind text NOT NULL, from_key bigint NOT NULL, to_key bigint NOT NULL, sums text NOT NULL,
    PRIMARY KEY (kind, from_key))`;
/** Tables that are empty where nobody has served the database yet. */
const EMPTY = ["call_records", "events", "events_new", "accounts", "jobs", "live_calls", "idempotency_keys", "agents"];
/** Built once the rows are there, which takes a part of the time of keeping them up row by row. */
const LATE = `SELECT c.relname AS name, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS sql
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
  WHERE NOT i.indisunique AND i.indrelid IN ('call_records'::regclass, 'turn_search'::regclass) ORDER BY c.relname`;
/** For building indexes, a connection each. */
const INDEX_MEMORY = "SET maintenance_work_mem = '256MB'";
const SUMS_MS = 600_000;

const IDENTITY: Readonly<Record<string, string>> = {
  call_records: "call_no",
  work: "work_no",
  live_calls: "live_no",
  agents: "agent_no",
  vector_spaces: "space_no",
  jobs: "rowid",
};

interface Index {
  readonly name: string;
  readonly sql: string;
}

/** Parts as they are stored: a bigint is no JSON. */
type StoredSums = Readonly<Record<string, readonly [rows: number, sum: string]>>;

export function writeSums(sums: PartSums): string {
  const stored = Object.entries(sums).map(([table, { rows, sum }]) => [table, [rows, sum.toString()]] as const);
  return JSON.stringify(Object.fromEntries(stored));
}

function readSums(text: string): PartSums {
  const stored = Object.entries(JSON.parse(text) as StoredSums);
  return Object.fromEntries(stored.map(([table, [rows, sum]]) => [table, { rows, sum: BigInt(sum) }]));
}

/** The condition for the rows of a part, its bounds in the place of two parameters. */
function rowsOfPart(kind: MoveKind): string {
  const key = KEY_COLUMN[kind];
  return key === null ? "$1::bigint < $2::bigint" : `${key} > $1::bigint AND ${key} <= $2::bigint`;
}

/** Whether a database is being filled by a move. */
export async function isHalfMoved(db: Pick<Database, "get">): Promise<boolean> {
  const row = await db.get<{ there: boolean }>("SELECT to_regclass('store_move') IS NOT NULL AS there");
  return row?.there === true;
}

/** `connections`: parts that are counted at a time. */
export function openMoveTarget(url: string, connections: number): MoveTarget {
  const db = new Database({ url, pool: connections + 1 });
  return {
    underWay: async () => (await db.session(schemaVersion)) > 0 && isHalfMoved(db),
    begin: (move_id) => begin(db, move_id),
    async months(months) {
      for (const month of [...months, Date.now()]) {
        const { suffix, from, to } = monthOf(month);
        await db.get("SELECT make_partitions(?, ?, ?)", suffix, from, to);
      }
    },
    buildIndexes: () => buildIndexes(db),
    async sums(part) {
      const tables = MOVED[part.kind];
      return db.reading(SUMS_MS, async (tx) => {
        const sums: [string, TableSum][] = [];
        for (const table of tables) {
          const [found] = await tx.all<{ rows: number; sum: string }>(sumSql(part.kind, table), part.from, part.to);
          sums.push([table.name, { rows: found?.rows ?? 0, sum: BigInt(found?.sum ?? 0) }]);
        }
        return Object.fromEntries(sums);
      });
    },
    async forget(part) {
      await db.transaction(async (tx) => {
        for (const table of MOVED[part.kind].toReversed()) {
          await tx.run(`DELETE FROM ${table.name} WHERE ${rowsOfPart(part.kind)}`, part.from, part.to);
        }
        await tx.run("DELETE FROM store_move_parts WHERE kind = ? AND from_key = ?", part.kind, part.from);
      });
    },
    async counts() {
      const counts: [string, number][] = [];
      for (const { name } of Object.values(MOVED).flat()) {
        const row = await db.get<{ n: number }>(`SELECT count(*) AS n FROM ${name}`);
        counts.push([name, row?.n ?? 0]);
      }
      return Object.fromEntries(counts);
    },
    async finish({ last }) {
      await db.transaction(async (tx) => {
        for (const [table, column] of Object.entries(IDENTITY)) {
          const next = (last[table] ?? 0) + 1;
          await tx.all(`SELECT setval(pg_get_serial_sequence('${table}', '${column}'), ?, false)`, next);
        }
        await tx.run("UPDATE event_head SET seq = ?", last["events"] ?? 0);
        await tx.run("DROP TABLE store_move, store_move_parts");
      });
    },
    close: () => db.close(),
  };
}

function sumSql(kind: MoveKind, table: MovedTable): string {
  return `SELECT count(*) AS rows, coalesce(sum(${digestSql(table)}), 0)::text AS sum
    FROM ${table.name} WHERE ${rowsOfPart(kind)}`;
}

async function begin(db: Database, move_id: string): Promise<CopiedPart[]> {
  await migrate(db);
  if (!(await isHalfMoved(db))) await beginNew(db, move_id);
  const known = await db.get<{ move_id: string }>("SELECT move_id FROM store_move");
  if (known?.move_id !== move_id) {
    throw new AppError("conflict", "The target holds a part of another move: drop that database and make an empty one");
  }
  const parts = await db.all<{ kind: MoveKind; from_key: number; to_key: number; sums: string }>(
    "SELECT kind, from_key, to_key, sums FROM store_move_parts ORDER BY kind, from_key",
  );
  return parts.map(({ kind, from_key, to_key, sums }) => ({ kind, from: from_key, to: to_key, sums: readSums(sums) }));
}

async function beginNew(db: Database, move_id: string): Promise<void> {
  for (const table of EMPTY) {
    if (await db.get(`SELECT 1 FROM ${table} LIMIT 1`)) {
      throw new AppError("conflict", `The target is not empty: it has rows in ${table}. Make an empty database`);
    }
  }
  const indexes = await db.all<Index>(LATE);
  await db.transaction(async (tx) => {
    for (const { name } of indexes) await tx.run(`DROP INDEX ${name}`);
    // Made with the schema: the source has its own.
    for (const table of ["full_text_key", "rollup_state"]) await tx.run(`DELETE FROM ${table}`);
    for (const statement of TABLES.split(";")) await tx.run(statement);
    await tx.run(
      "INSERT INTO store_move (only_row, move_id, indexes) VALUES (1, ?, ?)",
      move_id,
      JSON.stringify(indexes),
    );
  });
}

async function buildIndexes(db: Database): Promise<void> {
  const row = await db.get<{ indexes: string }>("SELECT indexes FROM store_move");
  const there = new Set((await db.all<Index>(LATE)).map(({ name }) => name));
  const missing = (JSON.parse(row?.indexes ?? "[]") as Index[]).filter(({ name }) => !there.has(name));
  if (missing.length === 0) return;
  // The one over the words takes about as long as all others.
  const words = missing.filter(({ sql }) => sql.includes(" USING gin "));
  const others = missing.filter((index) => !words.includes(index));
  await Promise.all(
    [words, others].map((some) =>
      db.session(async (query) => {
        await query(INDEX_MEMORY);
        for (const { sql } of some) await query(sql);
      }),
    ),
  );
  await db.session((query) => query("ANALYZE"));
}
