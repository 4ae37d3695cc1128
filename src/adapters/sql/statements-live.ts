/** The fixed SQL of calls that go on. As in statements.ts. */

const ROW = `live_no, call_id, agent_id, customer_id, language, start_time, created_at, turns, position, scored, version,
  last_turn_at, state, alert_state, alerts`;
const TURN = `turn_index, turn_id, speaker, text, start_ms, end_ms, position, at, sentiment, method`;

export const LIVE = {
  start: `INSERT INTO live_calls (call_id, agent_id, customer_id, language, start_time, created_at, start_digest, active_at,
      state, alert_state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING`,
  byId: `SELECT live_no, call_id, agent_id, turns, text_bytes, position, active_at, start_digest FROM live_calls
    WHERE call_id = ?`,
  ofCustomer: `SELECT live_no, call_id, agent_id FROM live_calls WHERE customer_id = ? LIMIT ?`,
  turnById: `SELECT turn_index, speaker, text, start_ms, end_ms FROM live_turns WHERE live_no = ? AND turn_id = ?`,
  insertTurn: `INSERT INTO live_turns (live_no, turn_index, turn_id, speaker, text, start_ms, end_ms, position, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  correctTurn: `UPDATE live_turns SET speaker = ?, text = ?, start_ms = ?, end_ms = ?, position = ?, sentiment = NULL,
      method = NULL WHERE live_no = ? AND turn_index = ?`,
  grow: `UPDATE live_calls SET turns = ?, text_bytes = ?, position = ?, active_at = ?, last_turn_at = ? WHERE live_no = ?`,
  /** Turns go with the row (ON DELETE CASCADE). */
  remove: `DELETE FROM live_calls WHERE live_no = ?`,
  held: `SELECT call_id, agent_id, scored, alerts FROM live_calls WHERE live_no = ? AND version = ?`,
  save: `UPDATE live_calls SET scored = ?, version = version + 1, state = ?, alert_state = ?, alerts = ? WHERE live_no = ?`,
  scoreTurn: `UPDATE live_turns SET sentiment = ?, method = ? WHERE live_no = ? AND turn_index = ? AND position = ?`,
  row: `SELECT ${ROW} FROM live_calls WHERE call_id = ?`,
  list: `SELECT ${ROW} FROM live_calls ORDER BY live_no DESC LIMIT ?`,
  listOfAgent: `SELECT ${ROW} FROM live_calls WHERE agent_id = ? ORDER BY live_no DESC LIMIT ?`,
  listOfTeam: `SELECT ${ROW} FROM live_calls WHERE agent_id IN (SELECT agent_id FROM agents WHERE team = ?)
    ORDER BY live_no DESC LIMIT ?`,
  inTeam: `SELECT 1 AS found FROM agents WHERE agent_id = ? AND team = ?`,
  turns: `SELECT ${TURN} FROM live_turns WHERE live_no = ? ORDER BY turn_index`,
  turnsAfter: `SELECT ${TURN} FROM live_turns WHERE live_no = ? AND position > ? ORDER BY position LIMIT ?`,
  unscored: `SELECT call_id FROM live_calls WHERE scored < position AND last_turn_at < ? ORDER BY live_no LIMIT ?`,
  idle: `SELECT call_id FROM live_calls WHERE active_at < ? ORDER BY active_at LIMIT ?`,
} as const;
