/** CallReads on PostgreSQL: by key in one statement, everything else within limits of time. */
import type { CallRow, CallVectors, Segment } from "../../../core/call.ts";
import type { CallReads } from "../../../ports/calls.ts";
import { floats, int8s } from "../codec.ts";
import type { SearchWords } from "../search-words.ts";
import { storedCall } from "../stored-call.ts";
import type { Partitions } from "./partitions.ts";
import { keywordSearch } from "./read-keyword.ts";
import { list, numbersOf, type ReadLimits } from "./read-list.ts";
import { COLUMNS, inOrder, inScope, rowsByNumber } from "./read-rows.ts";
import type { Asker } from "./replicas.ts";

interface Deps {
  readonly db: Asker;
  readonly words: SearchWords;
  readonly partitions: Partitions;
  readonly limits: ReadLimits;
}

type WithBody = CallRow & { readonly body: Buffer | null };

/** Row and words of one moment. The month of the call says which partition to look into. */
const WORDS = `SELECT ${COLUMNS},
    (SELECT body FROM call_texts AS t WHERE t.call_no = c.call_no AND t.created_at = c.created_at) AS body
  FROM call_records AS c`;
const VECTORS_OF = `FROM call_records AS c
    JOIN call_vectors AS v ON v.call_no = c.call_no AND v.created_at = c.created_at
    JOIN vector_spaces AS s ON s.space_no = v.space_no WHERE c.call_no = ANY($1::bigint[])`;
const SEGMENTS = `SELECT p.call_no, p.first_turn, p.last_turn, p.code FROM call_records AS c
    JOIN segment_codes AS p ON p.call_no = c.call_no AND p.created_at = c.created_at
  WHERE c.call_no = ANY($1::bigint[]) ORDER BY p.call_no, p.first_turn`;

interface VectorsRow {
  readonly call_no: number;
  readonly space_id: string;
  readonly call: Buffer;
  readonly turns: Buffer;
}

interface SegmentRow extends Omit<Segment, "vector"> {
  readonly call_no: number;
  readonly code: Buffer;
}

const stored = ({ body, ...row }: WithBody) => storedCall(row, body);

export function makeReads(deps: Deps): CallReads {
  const { db, limits } = deps;
  return {
    async get(call_id, scope) {
      const { sql, values } = inScope(scope, 2);
      const found = await db.get<WithBody>(`${WORDS} WHERE c.call_id = $1${sql}`, call_id, ...values);
      return found ? stored(found) : null;
    },
    async row(call_id, scope) {
      const { sql, values } = inScope(scope, 2);
      const text = `SELECT ${COLUMNS} FROM call_records AS c WHERE c.call_id = $1${sql}`;
      return (await db.get<CallRow>(text, call_id, ...values)) ?? null;
    },
    list: (query) => list(db, query, limits),
    rows: (call_nos, scope) => rowsByNumber(db, call_nos, scope),
    async texts(call_nos) {
      if (call_nos.length === 0) return [];
      const found = await db.all<WithBody>(`${WORDS} WHERE c.call_no = ANY($1::bigint[])`, call_nos);
      return inOrder(call_nos, found).map(stored);
    },
    async callVector(call_no) {
      const found = await db.get<VectorsRow>(`SELECT s.space_id, v.call ${VECTORS_OF}`, [call_no]);
      return found ? { space_id: found.space_id, call: floats(found.call) } : null;
    },
    async vectors(call_nos) {
      if (call_nos.length === 0) return [];
      const [found, parts] = await Promise.all([
        db.all<VectorsRow>(`SELECT v.call_no, s.space_id, v.call, v.turns ${VECTORS_OF}`, call_nos),
        db.all<SegmentRow>(SEGMENTS, call_nos),
      ]);
      const segments = Map.groupBy(parts, (part) => part.call_no);
      return inOrder(call_nos, found).map(({ call_no, space_id, call, turns }) => {
        const own = (segments.get(call_no) ?? []).map(({ first_turn, last_turn, code }) => ({
          first_turn,
          last_turn,
          vector: int8s(code),
        }));
        const vectors: CallVectors = { space_id, turns: int8s(turns), segments: own, call: floats(call) };
        return { call_no, vectors };
      });
    },
    keyword: (query) => keywordSearch(deps, query, limits.patience_ms),
    numbers: async (query) => Uint32Array.from(await numbersOf(db, query, limits)),
  };
}
