/** Calls put straight into an SQLite file, for tests and measurements of reading. */
import type { CallRow, CallVectors, Insights, Turn } from "../../src/core/call.ts";
import { documentText } from "../../src/core/call-document.ts";
import { bytes, pack, packDocument } from "../../src/adapters/sql/codec.ts";
import type { Connection } from "../../src/adapters/sql/connection.ts";
import { ROW_COLUMNS } from "../../src/adapters/sql/read-row.ts";
import { searchWordsOf } from "../../src/adapters/sql/search-words.ts";

export interface StoredSeed {
  readonly row: CallRow;
  readonly turns: readonly Turn[];
  readonly insights: Insights | null;
  readonly vectors: CallVectors | null;
}

/** Inserts calls with all their parts; `db` is a writing connection, the caller holds the transaction. */
export function callInserter(
  db: Connection,
  settled: (call_no: number) => boolean = () => true,
): (call: StoredSeed) => void {
  const row = db.prepare(
    `INSERT INTO call_records (${ROW_COLUMNS.join(", ")}, digest, settled)
      VALUES (${ROW_COLUMNS.map((c) => `@${c}`).join(", ")}, x'00', @settled)`,
  );
  const agent = db.prepare("INSERT OR IGNORE INTO agents (agent_id) VALUES (?)");
  const text = db.prepare("INSERT INTO call_texts (call_no, body) VALUES (?, ?)");
  const insights = db.prepare("INSERT INTO call_insights (call_no, body, contribution) VALUES (?, x'', '[]')");
  const words = searchWordsOf(db);
  const indexed = db.prepare("INSERT INTO turn_search (rowid, text) VALUES (?, ?)");
  const space = db.prepare("INSERT OR IGNORE INTO vector_spaces (space_id) VALUES (?)");
  const vectors = db.prepare(
    "INSERT INTO call_vectors (call_no, space_no, call, turns) SELECT ?, space_no, ?, ? FROM vector_spaces WHERE space_id = ?",
  );
  const segment = db.prepare(
    `INSERT INTO segment_codes (call_no, first_turn, last_turn, space_no, agent_no, start_time, code)
      SELECT ?, ?, ?, space_no, 1, 0, ? FROM vector_spaces WHERE space_id = ?`,
  );
  return (call) => {
    const { call_no } = call.row;
    row.run({ ...call.row, settled: settled(call_no) ? 1 : 0 });
    agent.run(call.row.agent_id);
    const { turns: said, insights: derived } = call;
    text.run(
      call_no,
      derived === null
        ? pack(JSON.stringify(said))
        : packDocument(documentText({ turns: said, insights: derived }, true)),
    );
    for (const [i, turn] of call.turns.entries()) indexed.run(call_no * 32_768 + i, words.indexed(turn.text));
    if (derived !== null) insights.run(call_no);
    if (call.vectors === null) return;
    const { space_id, call: whole, turns, segments } = call.vectors;
    space.run(space_id);
    vectors.run(call_no, bytes(whole), bytes(turns), space_id);
    for (const s of segments) segment.run(call_no, s.first_turn, s.last_turn, bytes(s.vector), space_id);
  };
}
