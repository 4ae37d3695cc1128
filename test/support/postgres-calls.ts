/** Calls put straight into a PostgreSQL database, for tests of reading. */
import pg from "pg";
import { bytes, pack, packDocument } from "../../src/adapters/sql/codec.ts";
import { vectorText } from "../../src/adapters/sql/postgres/full-text.ts";
import { monthOf } from "../../src/adapters/sql/postgres/partitions.ts";
import { ROW_COLUMNS } from "../../src/adapters/sql/read-row.ts";
import { SearchWords } from "../../src/adapters/sql/search-words.ts";
import { documentText } from "../../src/core/call-document.ts";
import type { StoredSeed } from "./sqlite-calls.ts";

const ROW = `INSERT INTO call_records (${ROW_COLUMNS.join(", ")}, digest, in_full_text)
  SELECT r.*, '\\x00', true FROM jsonb_to_recordset($1::jsonb) AS r(call_no bigint, call_id text, agent_id text,
    customer_id text, language text, start_time bigint, created_at bigint, updated_at bigint, duration_seconds float8,
    agent_talk_ratio float8, customer_sentiment_score float8, outcome text, revision int, state text, method text,
    model text, enriched_at bigint, error text)`;

/** Inserts calls with all their parts, and puts agents into teams. */
export async function insertCalls(
  url: string,
  calls: readonly StoredSeed[],
  teams: Readonly<Record<string, string>>,
): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const run = (sql: string, ...params: unknown[]) => client.query(sql, params);
  try {
    const { key } = (await client.query<{ key: Buffer }>("SELECT key FROM full_text_key")).rows[0] as { key: Buffer };
    const words = new SearchWords(key);
    for (const month of new Map(calls.map(({ row }) => [monthOf(row.created_at).suffix, row.created_at])).values()) {
      const { suffix, from, to } = monthOf(month);
      await run("SELECT make_partitions($1, $2, $3)", suffix, from, to);
    }
    await run("BEGIN");
    await run(ROW, JSON.stringify(calls.map(({ row }) => row)));
    const agents = [...new Set(calls.map(({ row }) => row.agent_id))];
    await run("INSERT INTO agents (agent_id) SELECT * FROM unnest($1::text[])", agents);
    const bodies = calls.map(({ turns, insights }) =>
      insights === null ? pack(JSON.stringify(turns)) : packDocument(documentText({ turns, insights }, true)),
    );
    const keys = [calls.map(({ row }) => row.call_no), calls.map(({ row }) => row.created_at)];
    await run(`INSERT INTO call_texts SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])`, ...keys, bodies);
    const turns = calls.flatMap(({ row, turns }) =>
      turns.map(({ text }, i) => [row.call_no, row.created_at, i, vectorText(words, text)] as const),
    );
    await run(
      `INSERT INTO turn_search SELECT n, at, i, words::tsvector
        FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[]) AS t(n, at, i, words)`,
      ...[0, 1, 2, 3].map((i) => turns.map((turn) => turn[i as 0])),
    );
    for (const { row, vectors } of calls) {
      if (vectors === null) continue;
      await run("INSERT INTO vector_spaces (space_id) VALUES ($1)", vectors.space_id);
      const place = [row.call_no, row.created_at];
      const whole = [...place, bytes(vectors.call), bytes(vectors.turns)];
      await run(
        "INSERT INTO call_vectors (call_no, created_at, space_no, call, turns) VALUES ($1, $2, 1, $3, $4)",
        ...whole,
      );
      for (const { first_turn, last_turn, vector } of vectors.segments) {
        await run(
          "INSERT INTO segment_codes VALUES ($1, $2, $3, $4, 1, 1, 0, $5)",
          ...place,
          first_turn,
          last_turn,
          bytes(vector),
        );
      }
    }
    for (const [agent_id, team] of Object.entries(teams)) {
      await run(
        "INSERT INTO agents (agent_id, team) VALUES ($1, $2) ON CONFLICT (agent_id) DO UPDATE SET team = excluded.team",
        agent_id,
        team,
      );
    }
    await run("COMMIT");
    await run("ANALYZE");
  } finally {
    await client.end();
  }
}
