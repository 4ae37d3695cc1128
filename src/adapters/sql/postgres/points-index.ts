/** Questions to the vectors in pgvector's columns: candidates by the server, scores in full precision by us. */
import { byScore, centre, cosine } from "../../../core/cosine.ts";
import { DIMENSIONS, INT8_SCALE } from "../../../core/vector.ts";
import type {
  IndexBuild,
  SharedVectors,
  VectorFilter,
  VectorHit,
  VectorKind,
  VectorsFacts,
} from "../../../ports/vectors.ts";
import { floats, int8s } from "../codec.ts";
import type { Database, Transaction, Value } from "./database.ts";
import type { Asker } from "./replicas.ts";
import { candidatesSql, countSql, type Question, restricts, type Way } from "./points-questions.ts";
import { EXACT_ROWS, KINDS, type Space, SPACE_COLUMNS } from "./points-space.ts";
import { tend, VALID } from "./points-tend.ts";

export interface PointIndexOptions {
  /** The primary, which is written to. */
  readonly db: Database;
  /** Whoever answers reads. */
  readonly reads: Asker;
  /** Kinds compared about their mean; calls by default, as in the embedded index (docs/adr/0004). */
  readonly centred?: readonly VectorKind[];
  /** More rows than this that pass go through the graph. */
  readonly exactRows?: number;
}

/** A question takes no longer than this; whoever asked has given up by then. */
const LIMIT_MS = 2_000;
/** Hits scored again in float32: half as many more as asked for, and this many more at least; int8 rows misplace by few. */
const SPARE = 5;
/** Rows a walk of the graph keeps in sight: three times as many as are wanted, and this many at least. */
const EF_LEAST = 200;
/** Counted one by one up to so many rows; more are said as the server estimates them. */
const COUNTED = 100_000;

const OF_SPACE = `FROM earshot_points.spaces AS s JOIN vector_spaces AS v ON v.space_no = s.space_no
  WHERE v.space_id = $1 AND s.kind = $2`;

/** For the transaction: a graph is walked until enough rows pass, sorting instead of it is out of the question. */
function settings(wanted: number): string {
  return Object.entries({
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.ef_search": String(Math.min(1_000, Math.max(EF_LEAST, 3 * wanted))),
    "hnsw.max_scan_tuples": "40000",
    enable_sort: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
    jit: "off",
  })
    .map(([name, value]) => `set_config('${name}', '${value}', true)`)
    .join(", ");
}

interface Look {
  readonly kind: VectorKind;
  readonly space_id: string;
  readonly filter: VectorFilter;
  readonly known: Space | undefined;
  /** Candidates that will be asked for. */
  readonly wanted: number;
}

interface Looked {
  readonly version: number;
  readonly whole: boolean;
  readonly n: number;
}

interface CandidateRow {
  readonly call_no: number;
  readonly part: number;
  readonly part_end: number;
  readonly vector: Buffer;
}

export class PointIndex implements SharedVectors {
  readonly #options: PointIndexOptions;
  readonly #centred: readonly VectorKind[];
  readonly #exactRows: number;
  /** What was read last of each space, by kind and name. */
  readonly #spaces = new Map<string, Space>();

  constructor(options: PointIndexOptions) {
    this.#options = options;
    this.#centred = options.centred ?? ["call"];
    this.#exactRows = options.exactRows ?? EXACT_ROWS;
  }

  async progress(space_id: string): Promise<IndexBuild | null> {
    const rows = await this.#options.db.all<
      { kind: VectorKind; filled: boolean; valid: boolean } & Record<
        "rows_done" | "rows_total" | "blocks_done" | "blocks_total",
        number
      >
    >(
      `SELECT s.kind, s.filled, ${VALID} AS valid, s.rows_done, s.rows_total,
          coalesce(p.blocks_done, 0) AS blocks_done, coalesce(p.blocks_total, 0) AS blocks_total
        FROM earshot_points.spaces AS s JOIN vector_spaces AS v ON v.space_no = s.space_no
          LEFT JOIN pg_stat_progress_create_index AS p ON p.relid = to_regclass('earshot_points.' || s.kind)
        WHERE v.space_id = $1`,
      space_id,
    );
    for (const kind of KINDS) {
      const of = rows.find((row) => row.kind === kind);
      if (of?.filled !== true) return { step: "rows", kind, done: of?.rows_done ?? 0, total: of?.rows_total ?? 0 };
    }
    const at = rows.find((row) => !row.valid && row.blocks_total > 0) ?? rows.find((row) => !row.valid);
    return at === undefined ? null : { step: "graph", kind: at.kind, done: at.blocks_done, total: at.blocks_total };
  }

  tend(space_id: string, signal: AbortSignal): Promise<void> {
    const { db } = this.#options;
    return tend({ db, space_id, centred: this.#centred, exactRows: this.#exactRows }, signal);
  }

  async search(
    space_id: string,
    kind: VectorKind,
    query: Float32Array,
    k: number,
    filter: VectorFilter = {},
  ): Promise<VectorHit[] | null> {
    if (query.length !== DIMENSIONS || !query.every(Number.isFinite)) {
      throw new TypeError(`a query vector must have ${DIMENSIONS} finite values`);
    }
    if (k <= 0) return [];
    const wanted = k + Math.max(SPARE, Math.ceil(k / 2));
    return this.#options.reads.reading(LIMIT_MS, async (tx) => {
      const known = this.#spaces.get(`${kind} ${space_id}`);
      const looked = await this.#look(tx, { kind, space_id, filter, known, wanted });
      if (looked === undefined || !looked.whole) return null;
      const space = known?.version === looked.version ? known : await this.#read(tx, kind, space_id);
      if (space === undefined) return null;
      return (await this.#ask(tx, { kind, space, query, k: wanted, filter, passing: looked.n })).slice(0, k);
    });
  }

  async describe(space_id: string): Promise<VectorsFacts> {
    const counts = await Promise.all(KINDS.map((kind) => this.#count(kind, space_id)));
    const size = await this.#options.reads.get<{ bytes: number }>(
      "SELECT pg_total_relation_size('earshot_points.call') + pg_total_relation_size('earshot_points.segment') AS bytes",
    );
    const [call = 0, segment = 0] = counts;
    return { rows: { call, segment }, bytes: size?.bytes ?? 0 };
  }

  /** How many rows pass, up to one more than are compared one by one. */
  async #look(tx: Transaction, looks: Look): Promise<Looked | undefined> {
    const { kind, space_id, filter, known, wanted } = looks;
    const params: Value[] = [space_id, kind];
    // Of all rows, or of calls given by number, it is known well enough whether they are more.
    const { call_nos, ...others } = filter;
    const many = !restricts(others) && (call_nos?.length ?? known?.graph_rows ?? 0) > this.#exactRows;
    const n = many ? String(this.#exactRows + 1) : countSql(kind, filter, params, this.#exactRows + 1);
    const sql = `SELECT s.version, s.filled AND ${VALID} AS whole, (${n}) AS n, ${settings(wanted)} ${OF_SPACE}`;
    return (await tx.all<Looked>(sql, ...params))[0];
  }

  async #read(tx: Transaction, kind: VectorKind, space_id: string): Promise<Space | undefined> {
    const [space] = await tx.all<Space>(`SELECT ${SPACE_COLUMNS} ${OF_SPACE}`, space_id, kind);
    if (space !== undefined) this.#spaces.set(`${kind} ${space_id}`, space);
    return space;
  }

  async #ask(tx: Transaction, asked: Question & { query: Float32Array; passing: number }): Promise<VectorHit[]> {
    const { kind, space, query, k, passing } = asked;
    const unitMean = space.mean && Float32Array.from(space.mean, (x) => x / INT8_SCALE);
    const centred = centre(query, unitMean);
    const candidates = (way: Way) => {
      const { sql, params } = candidatesSql(asked, centred.values, way);
      return tx.all<CandidateRow>(sql, ...params);
    };
    const few = passing <= this.#exactRows;
    let rows = await candidates(centred.length === 0 ? "first" : few ? "rows" : "graph");
    // The walk ended before it had met enough: few of those near pass.
    if (rows.length < k && !few && centred.length > 0) rows = await candidates("rows");
    const own = kind === "call" ? unitMean : space.mean;
    const mean = own && Float64Array.from(own);
    return rows
      .map(({ call_no, part, part_end, vector }) => {
        const values = kind === "call" ? floats(vector) : int8s(vector);
        return { call_no, part, part_end, score: cosine(centred, values, mean) };
      })
      .toSorted(byScore);
  }

  async #count(kind: VectorKind, space_id: string): Promise<number> {
    const row = await this.#options.reads.get<{ n: number; estimate: number }>(
      `SELECT (SELECT count(*) FROM (SELECT 1 FROM earshot_points.${kind} WHERE space_no = v.space_no LIMIT ${COUNTED}) AS n) AS n,
        (SELECT reltuples::bigint FROM pg_class WHERE oid = 'earshot_points.${kind}'::regclass) AS estimate
        FROM vector_spaces AS v WHERE v.space_id = ?`,
      space_id,
    );
    if (row === undefined) return 0;
    return row.n < COUNTED ? row.n : Math.max(row.n, row.estimate);
  }
}
