/** The fixed SQL of a store that is a copy of another one. As in statements.ts. */

const ROW = `call_no, call_id, agent_id, customer_id, language, start_time, created_at, updated_at, duration_seconds,
  agent_talk_ratio, customer_sentiment_score, outcome, revision, state, method, model, enriched_at, error, digest, settled`;

const LIVE = `live_no, call_id, agent_id, customer_id, language, start_time, created_at, start_digest, turns, position,
  scored, version, active_at, last_turn_at, state, alert_state, alerts`;

export const MIRROR = {
  known: `SELECT call_no, call_id, agent_id, start_time, revision, digest, in_full_text, settled, state, updated_at, enriched_at,
    method FROM call_records WHERE call_no = ?`,
  between: `SELECT call_no FROM call_records WHERE call_no > ? AND call_no <= ? ORDER BY call_no`,
  /** Settled and counted at once. */
  put: `INSERT INTO call_records (${ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`,
  /** What changes while the words stay. */
  change: `UPDATE call_records SET updated_at = ?, agent_talk_ratio = ?, customer_sentiment_score = ?, state = ?, method = ?,
    model = ?, enriched_at = ?, error = ? WHERE call_no = ?`,
  putLive: `INSERT INTO live_calls (${LIVE}) VALUES (?, ?, ?, ?, ?, ?, ?, x'', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  putLiveTurn: `INSERT INTO live_turns (live_no, turn_index, turn_id, speaker, text, start_ms, end_ms, position, at, sentiment,
      method) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  dropLive: `DELETE FROM live_calls WHERE call_id = ? OR live_no = ?`,
  liveIds: `SELECT live_no, call_id FROM live_calls`,
  event: `INSERT INTO events (seq, type, at, call_no, call_id, agent_id, revision, customer_sentiment_score, agent_talk_ratio,
      state, reason, turn_index, position, turn_sentiment, live_sentiment, rule_id, evidence)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING`,
  emptyLog: `DELETE FROM events`,
  forgetHead: `DELETE FROM sqlite_sequence WHERE name = 'events'`,
  setHead: `INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)`,
  place: `INSERT INTO bookmarks (name, value) VALUES ('replica.place', ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  dropPlace: `DELETE FROM bookmarks WHERE name = 'replica.place'`,
  workForAll: `INSERT INTO work (call_no, revision, priority, created_at, run_after)
    SELECT call_no, revision, 1, ?, ? FROM call_records WHERE state = 'pending'`,
  anything: `SELECT EXISTS (SELECT 1 FROM call_records) OR EXISTS (SELECT 1 FROM live_calls)
    OR EXISTS (SELECT 1 FROM events) AS found`,
  dead: `SELECT c.call_no, c.call_id, c.state FROM work AS w JOIN call_records AS c ON c.call_no = w.call_no`,
  byId: `SELECT call_no, state FROM call_records WHERE call_id = ?`,
} as const;

/** Everything at once, so that an account that moved its key or name to another one is in nobody's way. */
export const STANDING = {
  dropAccounts: `DELETE FROM accounts`,
  putAccount: `INSERT INTO accounts (account_id, kind, name, role, agent_id, team, secret, created_at, revoked_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  dropTeams: `UPDATE agents SET team = NULL WHERE team IS NOT NULL`,
  putTeam: `INSERT INTO agents (agent_id, team) VALUES (?, ?) ON CONFLICT (agent_id) DO UPDATE SET team = excluded.team`,
  dropWork: `DELETE FROM work`,
  putDead: `INSERT INTO work (call_no, revision, priority, state, attempts, created_at, run_after, error)
    SELECT call_no, ?, 1, 'dead', ?, ?, ?, ? FROM call_records WHERE call_id = ?`,
} as const;
