/** What is moved: the columns of every table, as both engines name them, and how their values are written. */
import type { MoveKind } from "../../../ports/move.ts";

/** words: the hashes of a turn with their places; a tsvector there, made of the text here. */
export type ColumnType = "int4" | "int8" | "float8" | "text" | "bytea" | "bool" | "words";

export interface MovedTable {
  readonly name: string;
  readonly columns: readonly (readonly [name: string, type: ColumnType])[];
  /** No table of SQLite: made of the texts. */
  readonly derived?: true;
}

/** "a b" and a type each -> columns. */
function table(name: string, types: Readonly<Partial<Record<ColumnType, string>>>, order: string): MovedTable {
  const typeOf = new Map(
    Object.entries(types).flatMap(([type, names]) => names.split(" ").map((column) => [column, type as ColumnType])),
  );
  return {
    name,
    columns: order.split(" ").map((column) => [column, typeOf.get(column) ?? "text"] as const),
  };
}

const CALL_RECORDS = table(
  "call_records",
  {
    int8: "call_no start_time created_at updated_at enriched_at",
    int4: "revision",
    float8: "duration_seconds agent_talk_ratio customer_sentiment_score",
    bytea: "digest",
    bool: "in_full_text",
  },
  "call_no call_id agent_id customer_id language start_time created_at updated_at duration_seconds agent_talk_ratio customer_sentiment_score outcome revision state method model enriched_at error digest in_full_text",
);

/** In the order in which they can be filled. */
export const MOVED: Readonly<Record<MoveKind, readonly MovedTable[]>> = {
  calls: [
    CALL_RECORDS,
    table("call_texts", { int8: "call_no created_at", bytea: "body" }, "call_no created_at body"),
    {
      ...table(
        "turn_search",
        { int8: "call_no created_at", int4: "turn_index", words: "words" },
        "call_no created_at turn_index words",
      ),
      derived: true,
    },
    table(
      "call_vectors",
      { int8: "call_no created_at", int4: "space_no", bytea: "call turns" },
      "call_no created_at space_no call turns",
    ),
    table(
      "call_codes",
      { int8: "call_no created_at start_time", int4: "space_no agent_no", bytea: "code" },
      "call_no created_at space_no agent_no start_time code",
    ),
    table(
      "segment_codes",
      { int8: "call_no created_at start_time", int4: "first_turn last_turn space_no agent_no", bytea: "code" },
      "call_no created_at first_turn last_turn space_no agent_no start_time code",
    ),
    table("call_insights", { int8: "call_no", bytea: "contribution" }, "call_no contribution"),
    table(
      "work",
      { int8: "work_no call_no created_at run_after lease_until", int4: "revision priority attempts" },
      "work_no call_no revision priority state attempts created_at run_after lease_until worker_id error",
    ),
  ],
  events: [
    table(
      "events",
      {
        int8: "seq at call_no",
        int4: "revision turn_index position",
        float8: "customer_sentiment_score agent_talk_ratio turn_sentiment live_sentiment",
      },
      "seq type at call_no call_id agent_id revision customer_sentiment_score agent_talk_ratio state reason turn_index position turn_sentiment live_sentiment rule_id evidence",
    ),
  ],
  keys: [
    table(
      "idempotency_keys",
      { int8: "expires_at", bytea: "outcome" },
      "account_id key fingerprint outcome expires_at",
    ),
  ],
  rollups: [
    table(
      "rollups",
      { int4: "generation grain bucket agent_no measure", int8: "n sum_micro squares_high squares_low" },
      "generation grain bucket agent_no measure n sum_micro squares_high squares_low",
    ),
  ],
  live: [
    table(
      "live_calls",
      {
        int8: "live_no start_time created_at active_at last_turn_at",
        int4: "turns text_bytes position scored version",
        bytea: "start_digest",
      },
      "live_no call_id agent_id customer_id language start_time created_at start_digest turns text_bytes position scored version active_at last_turn_at state alert_state alerts",
    ),
    table(
      "live_turns",
      { int8: "live_no at", int4: "turn_index start_ms end_ms position", bytea: "text", float8: "sentiment" },
      "live_no turn_index turn_id speaker text start_ms end_ms position at sentiment method",
    ),
  ],
  rest: [
    table("agents", { int4: "agent_no" }, "agent_no agent_id team"),
    table("vector_spaces", { int4: "space_no" }, "space_no space_id"),
    table("full_text_key", { int4: "only_row", bytea: "key" }, "only_row key"),
    table(
      "rollup_state",
      { int4: "only_row serving", int8: "rebuilt_to" },
      "only_row serving timezone next_timezone rebuilt_to",
    ),
    table(
      "accounts",
      { int8: "created_at revoked_at" },
      "account_id kind name role agent_id team secret created_at revoked_at",
    ),
    table("one_use", { int8: "expires_at" }, "sha256 account_id expires_at"),
    table(
      "jobs",
      { int8: "rowid created_at updated_at" },
      "rowid job_id kind state created_at updated_at counts errors detail report",
    ),
    table("bookmarks", {}, "name value"),
  ],
};

/** The column that says which part a row belongs to; null where there is one part. */
export const KEY_COLUMN: Readonly<Record<MoveKind, string | null>> = {
  calls: "call_no",
  events: "seq",
  keys: "expires_at",
  rollups: "bucket",
  live: null,
  rest: null,
};
