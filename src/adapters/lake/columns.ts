/** The columns of the lake's files. Names are for ever: whoever reads the files knows them. */
import type { DuckDBAppender, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { MEASURE_NAMES } from "../../core/measures.ts";
import type { LakeRow } from "../../ports/lake.ts";
import type { DuckDb } from "./duckdb.ts";

interface Column {
  readonly name: string;
  readonly type: (duck: DuckDb) => DuckDBType;
  readonly value: (row: LakeRow, duck: DuckDb) => DuckDBValue;
}

type Own = Exclude<keyof LakeRow["row"], "start_time" | "created_at" | "enriched_at" | "call_no" | "revision">;

const text = (name: Own): Column => ({ name, type: (duck) => duck.VARCHAR, value: ({ row }) => row[name] });
const time = (name: "start_time" | "created_at" | "enriched_at"): Column => ({
  name,
  type: (duck) => duck.TIMESTAMPTZ,
  value: ({ row }, duck) => {
    const ms = row[name];
    return ms === null ? null : new duck.DuckDBTimestampTZValue(BigInt(ms) * 1_000n);
  },
});

const list = (
  name: string,
  type: (duck: DuckDb) => DuckDBType,
  of: (row: LakeRow) => readonly DuckDBValue[] | null,
): Column => ({
  name,
  type: (duck) => duck.LIST(type(duck)),
  value: (row, duck) => {
    const values = of(row);
    return values && duck.listValue([...values]);
  },
});

/** `words`: whether what was said is there too. */
function columns(words: boolean): readonly Column[] {
  return [
    { name: "call_no", type: (duck) => duck.BIGINT, value: ({ row }) => BigInt(row.call_no) },
    text("call_id"),
    { name: "revision", type: (duck) => duck.INTEGER, value: ({ row }) => row.revision },
    { name: "seq", type: (duck) => duck.BIGINT, value: ({ seq }) => BigInt(seq) },
    text("agent_id"),
    text("customer_id"),
    text("language"),
    time("start_time"),
    time("created_at"),
    { name: "duration_seconds", type: (duck) => duck.DOUBLE, value: ({ row }) => row.duration_seconds },
    text("outcome"),
    text("method"),
    text("model"),
    time("enriched_at"),
    ...MEASURE_NAMES.map(
      (name): Column => ({
        name,
        type: (duck) => duck.DOUBLE,
        value: ({ insights }) => insights.measures[name] ?? null,
      }),
    ),
    list(
      "turn_speaker",
      (duck) => duck.VARCHAR,
      ({ turns }) => turns.map((turn) => turn.speaker),
    ),
    list(
      "turn_sentiment",
      (duck) => duck.DOUBLE,
      ({ insights }) => insights.turn_sentiment,
    ),
    list(
      "turn_text",
      (duck) => duck.VARCHAR,
      ({ turns }) => (words ? turns.map((turn) => turn.text) : null),
    ),
  ];
}

/** What puts rows into a table made with `declared`. */
export function rowWriter(
  duck: DuckDb,
  words: boolean,
): {
  readonly declared: string;
  readonly count: number;
  append(appender: DuckDBAppender, rows: readonly LakeRow[]): void;
} {
  const all = columns(words);
  const types = all.map((column) => column.type(duck));
  return {
    count: all.length,
    declared: all.map(({ name }, i) => `${name} ${String(types[i])}`).join(", "),
    append(appender, rows) {
      const chunk = duck.DuckDBDataChunk.create(types, rows.length);
      chunk.setColumns(all.map((column) => rows.map((row) => column.value(row, duck))));
      appender.appendDataChunk(chunk);
    },
  };
}
