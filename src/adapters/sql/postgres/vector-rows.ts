/** What the vector index reads from SQL. */
import type { VectorChunk, VectorRows } from "../../../ports/vectors.ts";
import { floats } from "../codec.ts";
import { toChunk, type VectorRow } from "../vector-chunk.ts";
import type { Asker } from "./replicas.ts";

/** Rows read in one go at most: some megabytes. */
const SCAN_LIMIT = 4_000;

const SPACE = `SELECT space_no FROM vector_spaces WHERE space_id = $1`;
const PLACE = `a.agent_id AS agent, v.start_time`;
const AGENT = `JOIN agents AS a ON a.agent_no = v.agent_no`;
/** Each partition in the order of its key, merged. */
const SCAN_CALLS = `SELECT v.call_no, 0 AS part, 0 AS part_end, ${PLACE}, v.code AS vector
  FROM (SELECT * FROM call_codes WHERE call_no > $1 AND space_no = $2 ORDER BY call_no LIMIT $3) AS v ${AGENT} ORDER BY v.call_no`;
const SCAN_SEGMENTS = `SELECT v.call_no, v.first_turn AS part, v.last_turn AS part_end, ${PLACE}, v.code AS vector
  FROM (SELECT * FROM segment_codes WHERE call_no > $1 AND space_no = $2 ORDER BY call_no, first_turn LIMIT $3) AS v ${AGENT}
  ORDER BY v.call_no, v.first_turn`;
/** By number and month, so that only the partitions of these calls are looked into. */
const OF_CALLS = `SELECT v.call_no, 0 AS part, 0 AS part_end, ${PLACE}, x.call AS vector FROM call_records AS c
    JOIN call_codes AS v ON v.call_no = c.call_no AND v.created_at = c.created_at
    JOIN call_vectors AS x ON x.call_no = c.call_no AND x.created_at = c.created_at ${AGENT}
  WHERE c.call_no = ANY($1::bigint[]) AND x.space_no = $2 ORDER BY v.call_no`;
const SEGMENTS_OF = `SELECT v.call_no, v.first_turn AS part, v.last_turn AS part_end, ${PLACE}, v.code AS vector
  FROM call_records AS c JOIN segment_codes AS v ON v.call_no = c.call_no AND v.created_at = c.created_at ${AGENT}
  WHERE c.call_no = ANY($1::bigint[]) AND v.space_no = $2 ORDER BY v.call_no, v.first_turn`;
const EXACT = `SELECT x.call_no, x.call AS vector FROM call_records AS c
    JOIN call_vectors AS x ON x.call_no = c.call_no AND x.created_at = c.created_at
  WHERE c.call_no = ANY($1::bigint[]) AND x.space_no = $2`;

export function makeVectorRows(db: Asker): VectorRows {
  const spaceNo = async (space_id: string) => (await db.get<{ space_no: number }>(SPACE, space_id))?.space_no ?? -1;
  const segmentsOf = (call_nos: readonly number[], space_no: number) =>
    db.all<VectorRow>(SEGMENTS_OF, call_nos, space_no);

  /** Drops the last call if the limit may have cut it; a call of more rows than the limit comes alone and whole. */
  const wholeCalls = async (rows: VectorRow[], limit: number, space_no: number): Promise<VectorRow[]> => {
    const last = rows.at(-1);
    if (!last || rows.length < limit) return rows;
    const whole = rows.filter((row) => row.call_no !== last.call_no);
    return whole.length > 0 ? whole : segmentsOf([last.call_no], space_no);
  };

  return {
    async scan(kind, space_id, after, limit): Promise<VectorChunk> {
      const n = Math.max(1, Math.min(limit, SCAN_LIMIT));
      const space_no = await spaceNo(space_id);
      if (kind === "call") return toChunk(await db.all<VectorRow>(SCAN_CALLS, after, space_no, n), false);
      const rows = await db.all<VectorRow>(SCAN_SEGMENTS, after, space_no, n);
      return toChunk(await wholeCalls(rows, n, space_no), false);
    },
    async of(kind, space_id, call_nos) {
      const space_no = await spaceNo(space_id);
      if (kind === "segment") return toChunk(await segmentsOf(call_nos, space_no), false);
      return toChunk(await db.all<VectorRow>(OF_CALLS, call_nos, space_no), true);
    },
    async exact(space_id, call_nos) {
      const rows = await db.all<{ call_no: number; vector: Buffer }>(EXACT, call_nos, await spaceNo(space_id));
      return rows.map(({ call_no, vector }) => ({ call_no, vector: floats(vector) }));
    },
  };
}
