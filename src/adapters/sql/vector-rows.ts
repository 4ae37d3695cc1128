/** What the vector index reads from SQL. */
import type { VectorRows } from "../../ports/vectors.ts";
import { floats } from "./codec.ts";
import type { LoopReader } from "./loop-reader.ts";
import { VECTORS } from "./statements.ts";
import { toChunk, type VectorRow as NamedRow } from "./vector-chunk.ts";

/** Rows read in one go at most, so that the loop is not held for more than some milliseconds. */
const SCAN_LIMIT = 4_000;

interface VectorRow extends Omit<NamedRow, "agent"> {
  readonly agent_no: number;
}

export function makeVectorRows(deps: { reader: LoopReader }): VectorRows {
  const { reader } = deps;
  const names = new Map<number, string>();
  const spaceNo = (space_id: string) => reader.get<{ space_no: number }>(VECTORS.spaceNo, space_id)?.space_no ?? -1;
  const chunk = (rows: readonly VectorRow[], full: boolean) => toChunk(withNames(reader, names, rows), full);
  return {
    async scan(kind, space_id, after, limit) {
      const n = Math.max(1, Math.min(limit, SCAN_LIMIT));
      const space_no = spaceNo(space_id);
      if (kind === "call") return chunk(reader.all<VectorRow>(VECTORS.scanCalls, after, space_no, n), false);
      const rows = reader.all<VectorRow>(VECTORS.scanSegments, after, space_no, n);
      return chunk(wholeCalls(reader, rows, n, space_no), false);
    },
    async of(kind, space_id, call_nos) {
      const space_no = spaceNo(space_id);
      const sql = kind === "call" ? VECTORS.ofCall : VECTORS.segmentsOf;
      const rows: VectorRow[] = [];
      for (const [i, call_no] of [...new Set(call_nos)].toSorted((a, b) => a - b).entries()) {
        if (i % 500 === 499) await reader.turn();
        rows.push(...reader.all<VectorRow>(sql, call_no, space_no));
      }
      return chunk(rows, kind === "call");
    },
    async exact(space_id, call_nos) {
      const space_no = spaceNo(space_id);
      return call_nos.flatMap((call_no) => {
        const found = reader.get<{ vector: Buffer }>(VECTORS.exact, call_no, space_no);
        return found === undefined ? [] : [{ call_no, vector: floats(found.vector) }];
      });
    },
  };
}

/** Drops the last call if the limit may have cut it; a call of more rows than the limit comes alone and whole. */
function wholeCalls(reader: LoopReader, rows: VectorRow[], limit: number, space_no: number): VectorRow[] {
  const last = rows.at(-1);
  if (!last || rows.length < limit) return rows;
  const whole = rows.filter((row) => row.call_no !== last.call_no);
  return whole.length > 0 ? whole : reader.all<VectorRow>(VECTORS.segmentsOf, last.call_no, space_no);
}

function withNames(reader: LoopReader, names: Map<number, string>, rows: readonly VectorRow[]): NamedRow[] {
  if (rows.some((row) => !names.has(row.agent_no))) {
    const known = Math.max(0, ...names.keys());
    for (const { agent_no, agent_id } of reader.all<{ agent_no: number; agent_id: string }>(VECTORS.agentIds, known)) {
      names.set(agent_no, agent_id);
    }
  }
  return rows.map((row) => Object.assign(row, { agent: names.get(row.agent_no) ?? "" }));
}
