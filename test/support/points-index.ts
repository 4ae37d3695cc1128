/**
 * The index in the database, behind the Vectors port: what is put in goes into the tables that enrichment writes, and the
 * rest has to follow by itself.
 */
import pg from "pg";
import { bytes } from "../../src/adapters/sql/codec.ts";
import { Database } from "../../src/adapters/sql/postgres/database.ts";
import { installPoints } from "../../src/adapters/sql/postgres/points-install.ts";
import { PointIndex, type PointIndexOptions } from "../../src/adapters/sql/postgres/points-index.ts";
import { quantize } from "../../src/core/vector.ts";
import type { VectorChunk, VectorKind, VectorRows, Vectors } from "../../src/ports/vectors.ts";
import { ask, freshDatabase } from "./postgres-server.ts";

/** The first: the tables name it 1. */
export const SPACE = "test";
/** In the months that the template has. */
export const AT = Date.UTC(2026, 5, 1);

const PUT = {
  call: `INSERT INTO call_codes (call_no, created_at, space_no, agent_no, start_time, code)
    SELECT n, ${AT}, 1, a.agent_no, start, code
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[]) AS r(n, agent, start, code)
      JOIN agents AS a ON a.agent_id = r.agent`,
  segment: `INSERT INTO segment_codes (call_no, created_at, first_turn, last_turn, space_no, agent_no, start_time, code)
    SELECT n, ${AT}, part, part_end, 1, a.agent_no, start, code
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[], $5::integer[], $6::integer[])
        AS r(n, agent, start, code, part, part_end) JOIN agents AS a ON a.agent_id = r.agent`,
} as const;
const PUT_FLOATS = `INSERT INTO call_vectors (call_no, created_at, space_no, call, turns)
  SELECT n, ${AT}, 1, call, '' FROM unnest($1::bigint[], $2::bytea[]) AS r(n, call)`;
const TABLES = { call: ["call_codes", "call_vectors"], segment: ["segment_codes"] } as const;

const CONNECTED = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_type = 'client backend'`;

/** What enrichment writes of vectors, and nothing else; `rows` has the float32 of calls. */
export function vectorTables(client: pg.Client | pg.Pool, rows: Pick<VectorRows, "exact">) {
  const remove = async (kind: VectorKind, call_nos: readonly number[]): Promise<void> => {
    for (const table of TABLES[kind])
      await client.query(`DELETE FROM ${table} WHERE call_no = ANY($1::bigint[])`, [call_nos]);
  };
  const put = async (kind: VectorKind, chunk: VectorChunk): Promise<void> => {
    const call_nos = [...chunk.call_no];
    const codes = chunk.vectors instanceof Int8Array ? chunk.vectors : quantize(chunk.vectors);
    const code = call_nos.map((_, i) => bytes(codes.subarray(384 * i, 384 * (i + 1))));
    await client.query("INSERT INTO agents (agent_id) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING", [
      [...new Set(chunk.agent)],
    ]);
    await remove(kind, [...new Set(call_nos)]);
    const columns = [call_nos, chunk.agent, [...chunk.start_time], code];
    if (kind === "segment") {
      await client.query(PUT.segment, [...columns, [...chunk.part], [...chunk.part_end]]);
      return;
    }
    const floats = await rows.exact(SPACE, call_nos);
    await client.query(PUT_FLOATS, [floats.map((f) => f.call_no), floats.map((f) => bytes(f.vector))]);
    await client.query(PUT.call, columns);
  };
  return { put, remove };
}

/** An index of its own in a database of its own; `before`: what was stored before anybody asked for the index. */
export async function openPoints(
  rows: Pick<VectorRows, "exact">,
  more: Partial<PointIndexOptions> = {},
  before: (put: ReturnType<typeof vectorTables>["put"]) => Promise<void> = async () => {},
): Promise<Vectors & { index: PointIndex; url: string; tend: () => Promise<void> }> {
  const { url, drop } = await freshDatabase("pgvector");
  const db = new Database({ url, pool: 4 });
  const client = new pg.Pool({ connectionString: url, max: 2 });
  await client.query("INSERT INTO vector_spaces (space_id) VALUES ($1)", [SPACE]);
  const tables = vectorTables(client, rows);
  await before(tables.put);
  await installPoints(db);
  const index = new PointIndex({ db, reads: db, centred: [], ...more });
  const tend = () => index.tend(SPACE, new AbortController().signal);
  return {
    index,
    url,
    tend,
    upsert: (kind, chunk) => tables.put(kind, chunk),
    remove: (kind, call_nos) => tables.remove(kind, call_nos),
    async search(...question) {
      const hits = await index.search(SPACE, ...question);
      if (hits === null) throw new Error("the index is not whole");
      return hits;
    },
    describe: () => index.describe(SPACE),
    async close() {
      await client.end();
      await db.close();
      // A pool says that it is closed before its connections are; one that is cut meanwhile ends the process.
      while ((await ask(url, CONNECTED)).length > 0);
      await drop();
    },
  };
}
