/** The statements that find candidates. */
import type { VectorFilter, VectorKind } from "../../../ports/vectors.ts";
import { DIMENSIONS } from "../../../core/vector.ts";
import type { Value } from "./database.ts";
import { graphExpression, halfvec, type Space } from "./points-space.ts";

export interface Question {
  readonly kind: VectorKind;
  readonly space: Space;
  /** Candidates wanted, more than are asked for. */
  readonly k: number;
  readonly filter: VectorFilter;
}

/** graph: those the walk meets; rows: all are compared; first: by number, where there is no direction to compare. */
export type Way = "graph" | "rows" | "first";

interface Statement {
  readonly sql: string;
  readonly params: Value[];
}

/** Half precision moves a cosine by this much at most, for rows about their mean and for the question. */
const MARGIN = 0.004;
/** The walk meets the nearest in no strict order: with twice as many as are wanted, few of those wanted are missed. */
const WALKED = 2;
/** Where more are as near as the last one wanted, they are the same text: the first of them are enough. */
const MOST = 5_000;
/** The largest component of a question: far from where halves lose digits, at either end. */
const LARGEST = 1_000;
const ZERO = `array_fill(0, ARRAY[${DIMENSIONS}])::halfvec(${DIMENSIONS})`;
const VECTOR = {
  call: "JOIN call_vectors AS x ON x.call_no = n.call_no AND x.created_at = n.created_at",
  segment: "JOIN segment_codes AS x ON x.call_no = n.call_no AND x.first_turn = n.part AND x.created_at = n.created_at",
} as const;

/** True if the filter restricts anything beside `except`. */
export function restricts({ agent_ids, from, to, call_nos }: VectorFilter): boolean {
  return agent_ids !== undefined || from !== undefined || to !== undefined || call_nos !== undefined;
}

/** How many rows of the space of `s` pass, up to `limit`; its parameters follow `params`. */
export function countSql(kind: VectorKind, filter: VectorFilter, params: Value[], limit: number): string {
  const where = conditions({ ...filter, except: [] }, params);
  return `SELECT count(*) FROM (SELECT 1 FROM earshot_points.${kind} AS p WHERE p.space_no = s.space_no${where} LIMIT ${limit}) AS n`;
}

/** `values`: the question less the mean. Rows come with their vector: float32 of calls, int8 of segments. */
export function candidatesSql({ kind, space, k, filter }: Question, values: Float64Array, way: Way): Statement {
  const params: Value[] = [];
  const where = `p.space_no = ${space.space_no}${conditions(filter, params)}`;
  const columns = "p.call_no, p.part, p.part_end, p.created_at";
  const from = `FROM earshot_points.${kind} AS p WHERE ${where}`;
  const vector = kind === "call" ? "x.call" : "x.code";
  const whole = (near: string) =>
    `SELECT n.call_no, n.part, n.part_end, ${vector} AS vector FROM (${near}) AS n ${VECTOR[kind]}`;
  if (way === "first") return { sql: whole(`SELECT ${columns} ${from} ORDER BY p.call_no, p.part LIMIT ${k}`), params };
  const question = `$${params.push(literal(values))}::halfvec(${DIMENSIONS})`;
  if (way === "graph") {
    const distance = `${graphExpression("p.embedding", space.graph_mean)} <=> ${question}`;
    return { sql: whole(`SELECT ${columns} ${from} ORDER BY ${distance} LIMIT ${WALKED * k}`), params };
  }
  const mean = space.mean === null ? "" : ` - ${halfvec(space.mean)}`;
  // A row without words has no direction: it is like no other, whatever the mean.
  const distance = `CASE WHEN p.embedding = ${ZERO} THEN 1 ELSE coalesce(nullif((p.embedding${mean}) <=> ${question}, 'NaN'), 1) END`;
  const near = whole(`SELECT * FROM near
    WHERE d <= coalesce((SELECT d FROM near ORDER BY d OFFSET ${k - 1} LIMIT 1), 2) + ${MARGIN}
    ORDER BY d, call_no, part LIMIT ${MOST}`);
  return { sql: `WITH near AS MATERIALIZED (SELECT ${columns}, ${distance} AS d ${from}) ${near}`, params };
}

function literal(values: Float64Array): string {
  let largest = 0;
  for (const x of values) largest = Math.max(largest, Math.abs(x));
  return `[${Array.from(values, (x) => Number(((x / largest) * LARGEST).toPrecision(6))).join(",")}]`;
}

/** " AND …" for each restriction. */
function conditions(filter: VectorFilter, params: Value[]): string {
  const { agent_ids, from, to, call_nos, except } = filter;
  const all: string[] = [];
  if (agent_ids !== undefined) {
    all.push(
      `p.agent_no = ANY(ARRAY(SELECT agent_no FROM agents WHERE agent_id = ANY($${params.push(agent_ids)}::text[])))`,
    );
  }
  if (from !== undefined) all.push(`p.start_time >= $${params.push(Math.ceil(from))}::bigint`);
  if (to !== undefined) all.push(`p.start_time <= $${params.push(Math.floor(to))}::bigint`);
  if (call_nos !== undefined) all.push(`p.call_no = ANY($${params.push([...call_nos])}::bigint[])`);
  if (except !== undefined && except.length > 0) {
    all.push(`p.call_no <> ALL($${params.push(except)}::bigint[])`);
  }
  return all.map((condition) => ` AND ${condition}`).join("");
}
