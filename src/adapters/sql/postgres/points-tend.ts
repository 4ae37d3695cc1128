/** What makes a space whole, and keeps it in shape: rows, what was missed, the mean, the graph. One process at a time. */
import type { VectorKind } from "../../../ports/vectors.ts";
import { INTERN } from "../statements.ts";
import type { Database, Transaction } from "./database.ts";
import { holdLock } from "./hold-lock.ts";
import { graphExpression, halfvec, KINDS, type Space, SPACE_COLUMNS } from "./points-space.ts";

const LOCK = 20_261_106;
/** Rows put in in one transaction: some hundred milliseconds, and as many while the graph is there already. */
const STEP = 1_000;
const MISSED_STEP = 100;
/** Rows looked at for a mean, at most. */
const SAMPLE = 20_000;
/** The mean of n rows counts by n / (n + 10): that of a few rows says more about them than about the corpus. */
const SHRINK = 10;

const BEGIN_SPACE = `INSERT INTO earshot_points.spaces (kind, space_no) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
const FIND = `SELECT ${SPACE_COLUMNS} FROM earshot_points.spaces AS s WHERE s.kind = $1 AND s.space_no = $2`;

/** As long as the database lives no two changes have the same, even where the schema was dropped in between. */
const CHANGED = `version = pg_current_xact_id()::text::bigint`;

const CODES = { call: "call_codes", segment: "segment_codes" } as const;
/** Their transaction ends before anybody can take these rows out: whoever does takes them out here as well. */
const rowsOf = (kind: VectorKind, where: string) => {
  const parts = kind === "call" ? "0 AS part, 0 AS part_end" : "first_turn AS part, last_turn AS part_end";
  return `INSERT INTO earshot_points.${kind} (call_no, part, part_end, space_no, created_at, agent_no, start_time, embedding)
    SELECT call_no, part, part_end, space_no, created_at, agent_no, start_time, earshot_points.halves(code)
    FROM (SELECT call_no, ${parts}, space_no, created_at, agent_no, start_time, code FROM ${CODES[kind]}
      WHERE ${where} FOR KEY SHARE) AS c ON CONFLICT DO NOTHING`;
};

export interface TendDeps {
  readonly db: Database;
  readonly space_id: string;
  /** Kinds that are compared about their mean. */
  readonly centred: readonly VectorKind[];
  /** Up to so many rows nobody asks the graph. */
  readonly exactRows: number;
}

/** Resolves when there is nothing left to do, when another process is at it, or soon after `signal`. */
export async function tend(deps: TendDeps, signal: AbortSignal): Promise<void> {
  if (!(await isDue(deps))) return;
  const { db, space_id, centred, exactRows } = deps;
  await holdLock(db, LOCK, { patient: false }, async () => {
    await db.transaction((tx) => tx.run(INTERN.space, space_id));
    const space_no = (await db.get<{ no: number }>(INTERN.spaceNo, space_id))?.no ?? -1;
    for (const kind of KINDS) {
      await db.transaction((tx) => tx.run(BEGIN_SPACE, kind, space_no));
      while (!signal.aborted && (await putRows(db, kind, space_no)));
    }
    while (!signal.aborted && (await mendMissed(db)));
    for (const kind of KINDS) {
      if (signal.aborted) return;
      const about = centred.includes(kind);
      if (about) await takeMean(db, kind, space_no);
      await makeGraph(db, { kind, space_no, outgrows: about ? exactRows : null }, signal);
    }
    if (!signal.aborted) await dropGraphs(db);
  });
}

/** A look that holds nobody up. */
async function isDue({ db, space_id, centred, exactRows }: TendDeps): Promise<boolean> {
  const found = await db.all<Space & { kind: VectorKind; valid: boolean; missed: boolean }>(
    `SELECT s.kind, ${SPACE_COLUMNS}, ${VALID} AS valid, EXISTS (SELECT 1 FROM earshot_points.missed) AS missed
      FROM earshot_points.spaces AS s JOIN vector_spaces AS v ON v.space_no = s.space_no WHERE v.space_id = ?`,
    space_id,
  );
  if (found.length < KINDS.length) return true;
  for (const space of found) {
    if (!space.filled || !space.valid || space.missed) return true;
    if (!centred.includes(space.kind)) continue;
    const rows = await countRows(db, space.kind, space.space_no);
    if (hasMoved(space, rows) || isOutgrown(space, rows, exactRows)) return true;
  }
  return false;
}

/** The mean is taken anew where a quarter of the rows has come or gone, as in the embedded index. */
function hasMoved({ mean_rows }: Space, rows: number): boolean {
  return rows !== mean_rows && 4 * Math.abs(rows - mean_rows) >= mean_rows;
}

/** A graph is about the mean of its first rows; where there are twice as many, another is better. */
function isOutgrown({ graph_rows }: Space, rows: number, exactRows: number): boolean {
  return rows > exactRows && rows >= 2 * graph_rows;
}

/** False when all rows are there. What comes while they are put in is put in by whoever writes it. */
function putRows(db: Database, kind: VectorKind, space_no: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [space] = await tx.all<Space>(`${FIND} FOR UPDATE`, kind, space_no);
    if (space === undefined || space.filled) return false;
    const { filled_to } = space;
    if (filled_to === 0) {
      const total = `UPDATE earshot_points.spaces SET rows_done = 0,
        rows_total = (SELECT count(*) FROM ${CODES[kind]} WHERE space_no = $2) WHERE kind = $1 AND space_no = $2`;
      await tx.run(total, kind, space_no);
    }
    const next = `SELECT max(call_no) AS last FROM (SELECT call_no FROM ${CODES[kind]} WHERE call_no > $1 AND space_no = $2
      ORDER BY call_no LIMIT ${STEP}) AS n`;
    const last = (await tx.all<{ last: number | null }>(next, filled_to, space_no))[0]?.last ?? null;
    if (last === null) {
      await tx.run(
        `UPDATE earshot_points.spaces SET filled = true, ${CHANGED} WHERE kind = $1 AND space_no = $2`,
        kind,
        space_no,
      );
      return false;
    }
    const put = rowsOf(kind, "call_no > $1 AND call_no <= $2 AND space_no = $3");
    const rows = await tx.run(put, filled_to, last, space_no);
    const note = `UPDATE earshot_points.spaces SET filled_to = $3, rows_done = rows_done + $4 WHERE kind = $1 AND space_no = $2`;
    await tx.run(note, kind, space_no, last, rows);
    return true;
  });
}

/** Rows of calls whose change could not be followed; false when there are none left. */
function mendMissed(db: Database): Promise<boolean> {
  return db.transaction(async (tx) => {
    const take = `DELETE FROM earshot_points.missed WHERE call_no IN
      (SELECT call_no FROM earshot_points.missed ORDER BY call_no LIMIT ${MISSED_STEP} FOR UPDATE SKIP LOCKED) RETURNING call_no`;
    const call_nos = (await tx.all<{ call_no: number }>(take)).map((row) => row.call_no);
    if (call_nos.length === 0) return false;
    for (const kind of KINDS) {
      await tx.run(`DELETE FROM earshot_points.${kind} WHERE call_no = ANY($1::bigint[])`, call_nos);
      await tx.run(rowsOf(kind, "call_no = ANY($1::bigint[])"), call_nos);
    }
    return true;
  });
}

/** Of 20,000 rows spread evenly, or all: the same that an embedded index takes when it has just been filled. */
async function takeMean(db: Database, kind: VectorKind, space_no: number): Promise<void> {
  await db.transaction(async (tx) => {
    const [space] = await tx.all<Space>(`${FIND} FOR UPDATE`, kind, space_no);
    const rows = await countRows(tx, kind, space_no);
    if (space === undefined || !hasMoved(space, rows)) return;
    const average = `SELECT avg(embedding::vector)::real[] AS mean FROM
      (SELECT embedding, row_number() OVER (ORDER BY call_no) - 1 AS i FROM earshot_points.${kind} WHERE space_no = $1) AS r
      WHERE (i * $3 + $2 - 1) / $2 * $2 < (i + 1) * $3`;
    const [sampled] = await tx.all<{ mean: number[] | null }>(average, space_no, rows, Math.min(rows, SAMPLE));
    const weight = rows / (rows + SHRINK);
    await tx.run(
      `UPDATE earshot_points.spaces SET mean = $3::float8[], mean_rows = $4, ${CHANGED}
        WHERE kind = $1 AND space_no = $2`,
      kind,
      space_no,
      sampled?.mean?.map((x) => x * weight) ?? null,
      rows,
    );
  });
}

async function countRows(tx: Pick<Transaction, "all">, kind: VectorKind, space_no: number): Promise<number> {
  const sql = `SELECT count(*) AS n FROM earshot_points.${kind} WHERE space_no = $1`;
  return (await tx.all<{ n: number }>(sql, space_no))[0]?.n ?? 0;
}

/** Makes the graph where there is none that can be used, or where it is outgrown; the old one is asked until then. */
async function makeGraph(
  db: Database,
  { kind, space_no, outgrows }: { kind: VectorKind; space_no: number; outgrows: number | null },
  signal: AbortSignal,
): Promise<void> {
  const space = await db.get<Space & { valid: boolean }>(
    `SELECT ${SPACE_COLUMNS}, ${VALID} AS valid FROM earshot_points.spaces AS s WHERE s.kind = $1 AND s.space_no = $2`,
    kind,
    space_no,
  );
  if (space === undefined) return;
  const rows = await countRows(db, kind, space_no);
  if (space.valid && (outgrows === null || !isOutgrown(space, rows, outgrows))) return;
  const name = `${kind}_${space_no}_${space.version}`;
  const mean = space.mean === null ? null : halfvec(space.mean);
  await db.session(async (query) => {
    // The server may still be at it for a process that has died.
    await query(`BEGIN; LOCK TABLE earshot_points.${kind} IN SHARE UPDATE EXCLUSIVE MODE; COMMIT`);
    const { rows: made } = await query(`SELECT ${VALID.replace("s.graph", `'${name}'`)} AS valid`);
    if ((made[0] as { valid: boolean }).valid) return;
    const { rows: own } = await query("SELECT pg_backend_pid() AS pid");
    const cancel = () =>
      void db.get("SELECT pg_cancel_backend(?)", (own[0] as { pid: number }).pid).catch(() => undefined);
    await query(`DROP INDEX CONCURRENTLY IF EXISTS earshot_points.${name}`);
    if (signal.aborted) return;
    signal.addEventListener("abort", cancel);
    try {
      await query(`CREATE INDEX CONCURRENTLY ${name} ON earshot_points.${kind}
        USING hnsw (${graphExpression("embedding", mean)} halfvec_cosine_ops) WHERE space_no = ${space_no}`);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  });
  if (signal.aborted) return;
  await db.transaction((tx) =>
    tx.run(
      `UPDATE earshot_points.spaces SET graph = $3, graph_mean = $4, graph_rows = $5, ${CHANGED}
        WHERE kind = $1 AND space_no = $2`,
      kind,
      space_no,
      name,
      mean,
      rows,
    ),
  );
}

/** Whether the index that s.graph names is there and whole. */
export const VALID = `coalesce((SELECT i.indisvalid FROM pg_index AS i
  WHERE i.indexrelid = to_regclass('earshot_points.' || s.graph)), false)`;

/** Takes out the graphs that nobody asks any more. */
async function dropGraphs(db: Database): Promise<void> {
  const unused = await db.all<{ name: string }>(
    `SELECT c.relname AS name FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS a ON a.oid = c.relam
      WHERE c.relnamespace = 'earshot_points'::regnamespace AND a.amname = 'hnsw'
        AND c.relname NOT IN (SELECT graph FROM earshot_points.spaces WHERE graph IS NOT NULL)`,
  );
  for (const { name } of unused) {
    await db.session((query) => query(`DROP INDEX CONCURRENTLY IF EXISTS earshot_points.${name}`));
  }
}
