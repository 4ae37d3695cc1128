/**
 * The fixed SQL of writes and of the reads on the event loop. Plain SQL with ? parameters that PostgreSQL also takes
 * after renumbering, but for the texts in ENGINE: what SQLite alone says that way.
 */

export const CALLS = {
  insert: `INSERT INTO call_records (call_id, agent_id, customer_id, language, start_time, created_at, updated_at,
      duration_seconds, outcome, digest, revision, settled)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (call_id) DO NOTHING`,
  /** In the order of the index of fresh calls, which half of the indexes they settle into share. */
  toSettle: `SELECT call_no, agent_id, start_time FROM call_records WHERE settled = 0 ORDER BY agent_id, start_time LIMIT ?`,
  settle: `UPDATE call_records SET settled = 1 WHERE call_no = ?`,
  byId: `SELECT call_no, call_id, agent_id, start_time, revision, digest, in_full_text, settled FROM call_records WHERE call_id = ?`,
  ofCustomer: `SELECT call_no, call_id, agent_id, start_time, revision, digest, in_full_text, settled FROM call_records
    WHERE settled = 1 AND customer_id = ? ORDER BY start_time LIMIT ?`,
  freshOfCustomer: `SELECT call_no, call_id, agent_id, start_time, revision, digest, in_full_text, settled FROM call_records
    WHERE settled = 0 AND customer_id = ? LIMIT ?`,
  oldest: `SELECT call_no, call_id, agent_id, start_time, revision, digest, in_full_text, settled FROM call_records
    WHERE created_at < ? ORDER BY created_at LIMIT ?`,
  /** The last row of a step of counting, and how many are left after the last full step: many calls may have come in
   *  one millisecond. */
  receivedStep: `SELECT created_at, call_no FROM call_records
    WHERE created_at < ? AND (created_at, call_no) > (?, ?) ORDER BY created_at, call_no LIMIT 1 OFFSET ?`,
  receivedRest: `SELECT count(*) AS n FROM call_records WHERE created_at < ? AND (created_at, call_no) > (?, ?)`,
  /** Between a call_no and the one that is past the end: the last call, and the one that has so many before it. */
  lastBetween: `SELECT created_at FROM call_records WHERE call_no >= ? AND call_no < ? ORDER BY call_no DESC LIMIT 1`,
  nthBetween: `SELECT created_at FROM call_records WHERE call_no >= ? AND call_no < ? ORDER BY call_no LIMIT 1 OFFSET ?`,
  replace: `UPDATE call_records SET agent_id = ?, customer_id = ?, language = ?, start_time = ?, updated_at = ?,
      duration_seconds = ?, outcome = ?, digest = ?, revision = revision + 1, state = 'pending', in_full_text = 0,
      agent_talk_ratio = NULL, customer_sentiment_score = NULL, method = NULL, model = NULL, enriched_at = NULL, error = NULL
    WHERE call_no = ?`,
  /** Text, insights, vectors and work go with the row (ON DELETE CASCADE). */
  remove: `DELETE FROM call_records WHERE call_no = ?`,
  pending: `UPDATE call_records SET state = 'pending', error = NULL, updated_at = ? WHERE call_no = ?`,
  insertText: `INSERT INTO call_texts (call_no, body) VALUES (?, ?)`,
  updateText: `UPDATE call_texts SET body = ? WHERE call_no = ?`,
  text: `SELECT body FROM call_texts WHERE call_no = ?`,
  inFullText: `UPDATE call_records SET in_full_text = 1 WHERE call_no = ?`,
  outOfFullText: `UPDATE call_records SET in_full_text = in_full_text + ? WHERE call_no = ?`,
  fresh: `SELECT count(*) AS n FROM call_records WHERE settled = 0`,
  degraded: `SELECT call_no, revision FROM call_records WHERE state = 'degraded' ORDER BY call_no LIMIT ?`,
} as const;

export const INSIGHTS = {
  /** The call as the worker that holds this work saw it, or nothing: then the save is stale. */
  held: `SELECT c.call_no, c.call_id, c.agent_id, c.start_time, c.revision, c.in_full_text, c.settled FROM work AS w
    JOIN call_records AS c ON c.call_no = w.call_no
    WHERE w.work_no = ? AND w.worker_id = ? AND w.state = 'running' AND w.revision = c.revision
      AND c.call_no = ? AND c.revision = ?`,
  enrich: `UPDATE call_records SET state = ?, method = ?, model = ?, enriched_at = ?, updated_at = ?,
      customer_sentiment_score = ?, agent_talk_ratio = ?, error = NULL, settled = 1 WHERE call_no = ? AND revision = ?`,
  contribution: `SELECT contribution FROM call_insights WHERE call_no = ?`,
  /** body is empty: the insights themselves are in the document (call_texts.body). */
  put: `INSERT INTO call_insights (call_no, body, contribution) VALUES (?, ?, ?)
    ON CONFLICT (call_no) DO UPDATE SET body = excluded.body, contribution = excluded.contribution`,
  drop: `DELETE FROM call_insights WHERE call_no = ?`,
} as const;

export const VECTORS = {
  put: `INSERT INTO call_vectors (call_no, space_no, call, turns) VALUES (?, ?, ?, ?)`,
  putCode: `INSERT INTO call_codes (call_no, space_no, agent_no, start_time, code) VALUES (?, ?, ?, ?, ?)`,
  putSegment: `INSERT INTO segment_codes (call_no, first_turn, last_turn, space_no, agent_no, start_time, code)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  drop: [
    `DELETE FROM call_vectors WHERE call_no = ?`,
    `DELETE FROM call_codes WHERE call_no = ?`,
    `DELETE FROM segment_codes WHERE call_no = ?`,
  ],
  spaceNo: `SELECT space_no FROM vector_spaces WHERE space_id = ?`,
  agentIds: `SELECT agent_no, agent_id FROM agents WHERE agent_no > ? ORDER BY agent_no`,
  scanCalls: `SELECT call_no, 0 AS part, 0 AS part_end, agent_no, start_time, code AS vector FROM call_codes
    WHERE call_no > ? AND space_no = ? ORDER BY call_no LIMIT ?`,
  scanSegments: `SELECT call_no, first_turn AS part, last_turn AS part_end, agent_no, start_time, code AS vector
    FROM segment_codes WHERE call_no > ? AND space_no = ? ORDER BY call_no, first_turn LIMIT ?`,
  ofCall: `SELECT v.call_no, 0 AS part, 0 AS part_end, c.agent_no, c.start_time, v.call AS vector
    FROM call_vectors AS v JOIN call_codes AS c ON c.call_no = v.call_no WHERE v.call_no = ? AND v.space_no = ?`,
  exact: `SELECT call AS vector FROM call_vectors WHERE call_no = ? AND space_no = ?`,
  segmentsOf: `SELECT call_no, first_turn AS part, last_turn AS part_end, agent_no, start_time, code AS vector
    FROM segment_codes WHERE call_no = ? AND space_no = ? ORDER BY first_turn`,
} as const;

export const WORK = {
  add: `INSERT INTO work (call_no, revision, priority, created_at, run_after) VALUES (?, ?, ?, ?, ?)`,
  dropOfCall: `DELETE FROM work WHERE call_no = ?`,
  settle: `DELETE FROM work WHERE work_no = ?`,
  expired: `SELECT work_no, call_no FROM work WHERE state = 'running' AND lease_until < ? ORDER BY lease_until LIMIT ?`,
  /** Due now, also where it was taken by a clock that has gone back since. */
  free: `UPDATE work SET state = 'ready', worker_id = NULL, lease_until = NULL,
    run_after = CASE WHEN run_after > ? THEN ? ELSE run_after END WHERE work_no = ?`,
  pendAll: `UPDATE call_records SET state = 'pending' WHERE call_no IN (SELECT call_no FROM work WHERE state = 'running')`,
  freeAll: `UPDATE work SET state = 'ready', worker_id = NULL, lease_until = NULL WHERE state = 'running'`,
  /** What a clock that went back left far in the future: work that would wait for it, leases that would outlive it. */
  waitsTooLong: `UPDATE work SET run_after = ? WHERE work_no IN
    (SELECT work_no FROM work WHERE state = 'ready' AND priority = ? AND run_after > ? ORDER BY run_after LIMIT ?)`,
  heldTooLong: `UPDATE work SET lease_until = ? WHERE state = 'running' AND lease_until > ?`,
  /** One priority at a time: the index then yields due items in order without a sort. */
  ready: `SELECT w.work_no, w.call_no, c.call_id, w.revision, w.priority, w.attempts + 1 AS attempts FROM work AS w
    JOIN call_records AS c ON c.call_no = w.call_no
    WHERE w.state = 'ready' AND w.priority = ? AND w.run_after <= ? ORDER BY w.run_after, w.work_no LIMIT ?`,
  /** What was not tried yet is due whatever the clock of whoever stored it says. */
  readyOfCall: `SELECT w.work_no, w.call_no, c.call_id, w.revision, w.priority, w.attempts + 1 AS attempts FROM work AS w
    JOIN call_records AS c ON c.call_no = w.call_no
    WHERE w.call_no = ? AND w.state = 'ready' AND (w.run_after <= ? OR w.attempts = 0)`,
  lease: `UPDATE work SET state = 'running', worker_id = ?, lease_until = ?, attempts = attempts + 1 WHERE work_no = ?`,
  callState: `UPDATE call_records SET state = ? WHERE call_no = ?`,
  callDead: `UPDATE call_records SET state = 'dead', error = ?, updated_at = ? WHERE call_no = ?`,
  renew: `UPDATE work SET lease_until = ? WHERE work_no = ? AND worker_id = ? AND state = 'running'`,
  held: `SELECT w.call_no, c.in_full_text FROM work AS w JOIN call_records AS c ON c.call_no = w.call_no
    WHERE w.work_no = ? AND w.worker_id = ? AND w.state = 'running'`,
  retry: `UPDATE work SET state = 'ready', worker_id = NULL, lease_until = NULL, run_after = ?, error = ? WHERE work_no = ?`,
  bury: `UPDATE work SET state = 'dead', worker_id = NULL, lease_until = NULL, run_after = ?, error = ? WHERE work_no = ?`,
  release: `UPDATE work SET state = 'ready', worker_id = NULL, lease_until = NULL, attempts = attempts - 1,
    run_after = CASE WHEN run_after > ? THEN ? ELSE run_after END WHERE work_no = ?`,
  deadOfCall: `SELECT w.work_no, w.call_no, c.agent_id FROM work AS w JOIN call_records AS c ON c.call_no = w.call_no
    WHERE c.call_id = ? AND w.state = 'dead' AND w.work_no > ? ORDER BY w.work_no LIMIT ?`,
  deadAny: `SELECT w.work_no, w.call_no, c.agent_id FROM work AS w JOIN call_records AS c ON c.call_no = w.call_no
    WHERE w.state = 'dead' AND w.work_no > ? ORDER BY w.work_no LIMIT ?`,
  redrive: `UPDATE work SET state = 'ready', attempts = 0, run_after = ?, error = NULL WHERE work_no = ?`,
  /** Whether a take could find anything. */
  due: `SELECT EXISTS (SELECT 1 FROM work WHERE state = 'ready' AND priority = 0 AND run_after <= ?)
      OR EXISTS (SELECT 1 FROM work WHERE state = 'ready' AND priority = 1 AND run_after <= ?)
      OR EXISTS (SELECT 1 FROM work WHERE state = 'ready' AND priority = 2 AND run_after <= ?)
      OR EXISTS (SELECT 1 FROM work WHERE state = 'ready' AND priority = 3 AND run_after <= ?)
      OR EXISTS (SELECT 1 FROM work WHERE state = 'running' AND lease_until < ?) AS due`,
  waiting: `SELECT call_no, priority FROM work WHERE state = 'ready' AND priority = ? AND run_after <= ?
    ORDER BY run_after, work_no LIMIT ?`,
  abandoned: `SELECT call_no, priority FROM work WHERE state = 'running' AND lease_until < ? ORDER BY lease_until LIMIT ?`,
  /** A step of counting: states of the rows after work_no. */
  depthStep: `SELECT count(*) AS seen, coalesce(max(work_no), 0) AS last,
      count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'running') AS running,
      count(*) FILTER (WHERE state = 'dead') AS dead
    FROM (SELECT work_no, state FROM work WHERE work_no > ? ORDER BY work_no LIMIT ?) AS step`,
  oldest: `SELECT created_at FROM work WHERE state = 'ready' AND priority = ? ORDER BY run_after, work_no LIMIT 1`,
  dead: `SELECT w.work_no, c.call_id, c.agent_id, w.revision, w.attempts, coalesce(w.error, '') AS error, w.run_after AS at
    FROM work AS w JOIN call_records AS c ON c.call_no = w.call_no
    WHERE w.state = 'dead' AND w.work_no < ? ORDER BY w.work_no DESC LIMIT ?`,
} as const;

const EVENT_FACTS = `type, at, call_no, call_id, agent_id, revision, customer_sentiment_score, agent_talk_ratio, state, reason,
  turn_index, position, turn_sentiment, live_sentiment, rule_id, evidence`;
const EVENT_COLUMNS = `seq, ${EVENT_FACTS}`;

export const EVENTS = {
  append: `INSERT INTO events (${EVENT_FACTS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  after: `SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
  afterOfAgent: `SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? AND seq <= ? AND agent_id = ? ORDER BY seq LIMIT ?`,
  afterOfTeam: `SELECT ${EVENT_COLUMNS} FROM events WHERE seq > ? AND seq <= ?
    AND agent_id IN (SELECT agent_id FROM agents WHERE team = ?) ORDER BY seq LIMIT ?`,
  oldest: `SELECT coalesce(min(seq), 0) AS seq FROM events`,
  oldestRows: `SELECT seq, at FROM events ORDER BY seq LIMIT ?`,
  dropTo: `DELETE FROM events WHERE seq <= ?`,
} as const;

const SUMS = `n, sum_micro, squares_high, squares_low`;

export const ROLLUPS = {
  start: `INSERT INTO rollup_state (only_row, serving, timezone) VALUES (1, 1, ?) ON CONFLICT (only_row) DO NOTHING`,
  state: `SELECT serving, timezone, next_timezone, rebuilt_to FROM rollup_state WHERE only_row = 1`,
  add: `INSERT INTO rollups (generation, grain, bucket, agent_no, measure, ${SUMS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (generation, grain, bucket, agent_no, measure) DO UPDATE SET n = rollups.n + excluded.n,
      sum_micro = rollups.sum_micro + excluded.sum_micro, squares_high = rollups.squares_high + excluded.squares_high,
      squares_low = rollups.squares_low + excluded.squares_low`,
  dropEmpty: `DELETE FROM rollups WHERE generation = ? AND grain = ? AND bucket = ? AND agent_no = ? AND measure = ? AND n = 0`,
  begin: `UPDATE rollup_state SET next_timezone = ?, rebuilt_to = 0 WHERE only_row = 1`,
  cancel: `UPDATE rollup_state SET next_timezone = NULL, rebuilt_to = NULL WHERE only_row = 1`,
  advance: `UPDATE rollup_state SET rebuilt_to = ? WHERE only_row = 1`,
  flip: `UPDATE rollup_state SET serving = serving + 1, timezone = next_timezone, next_timezone = NULL, rebuilt_to = NULL
    WHERE only_row = 1 AND rebuilt_to IS NOT NULL`,
  calls: `SELECT c.call_no, c.agent_id, c.start_time, c.settled, i.contribution FROM call_records AS c
    LEFT JOIN call_insights AS i ON i.call_no = c.call_no WHERE c.call_no > ? ORDER BY c.call_no LIMIT ?`,
  lastCall: `SELECT coalesce(max(call_no), 0) AS n FROM call_records`,
  nextBucket: `SELECT grain, bucket FROM rollups WHERE generation = ? AND (grain, bucket) > (?, ?) ORDER BY grain, bucket LIMIT 1`,
  bucket: `SELECT agent_no, measure, ${SUMS} FROM rollups WHERE generation = ? AND grain = ? AND bucket = ?
    ORDER BY agent_no, measure`,
  older: `SELECT generation, grain, bucket FROM rollups WHERE generation < ? LIMIT 1`,
  newer: `SELECT generation, grain, bucket FROM rollups WHERE generation > ? LIMIT 1`,
  dropBucket: `DELETE FROM rollups WHERE generation = ? AND grain = ? AND bucket = ?`,
  read: `SELECT a.agent_id, r.measure, r.n, r.sum_micro, r.squares_high, r.squares_low
    FROM rollups AS r JOIN agents AS a ON a.agent_no = r.agent_no
    WHERE r.generation = ? AND r.grain = ? AND r.bucket = ? AND r.measure IN (SELECT value FROM json_each(?))`,
  readOfTeam: `SELECT a.agent_id, r.measure, r.n, r.sum_micro, r.squares_high, r.squares_low
    FROM agents AS a JOIN rollups AS r ON r.agent_no = a.agent_no
    WHERE a.team = ? AND r.generation = ? AND r.grain = ? AND r.bucket = ? AND r.measure IN (SELECT value FROM json_each(?))`,
  readOfAgent: `SELECT a.agent_id, r.measure, r.n, r.sum_micro, r.squares_high, r.squares_low
    FROM agents AS a JOIN rollups AS r ON r.agent_no = a.agent_no
    WHERE a.agent_id = ? AND r.generation = ? AND r.grain = ? AND r.bucket = ? AND r.measure IN (SELECT value FROM json_each(?))`,
  /** Every day that has sums has calls. */
  nextDay: `SELECT bucket FROM rollups WHERE generation = ? AND grain = 4 AND bucket >= ? AND bucket <= ? ORDER BY bucket LIMIT 1`,
} as const;

export const INTERN = {
  agent: `INSERT INTO agents (agent_id) VALUES (?) ON CONFLICT (agent_id) DO NOTHING`,
  agentId: `SELECT agent_id FROM agents WHERE agent_no = ?`,
  agentNo: `SELECT agent_no AS no FROM agents WHERE agent_id = ?`,
  space: `INSERT INTO vector_spaces (space_id) VALUES (?) ON CONFLICT (space_id) DO NOTHING`,
  spaceNo: `SELECT space_no AS no FROM vector_spaces WHERE space_id = ?`,
  team: `SELECT team FROM agents WHERE agent_id = ?`,
} as const;

const PART_COLUMNS = `from_call_no, opened_at, has_gone`;

/** The parts of the full text (full-text-parts.ts). */
export const PARTS = {
  of: `SELECT ${PART_COLUMNS} FROM full_text_parts WHERE from_call_no <= ? ORDER BY from_call_no DESC LIMIT 1`,
  open: `SELECT ${PART_COLUMNS} FROM full_text_parts ORDER BY from_call_no DESC LIMIT 1`,
  after: `SELECT ${PART_COLUMNS} FROM full_text_parts WHERE from_call_no > ? ORDER BY from_call_no LIMIT 1`,
  /** Those that can be asked, newest first. */
  asked: `SELECT ${PART_COLUMNS} FROM full_text_parts WHERE leaving = 0 ORDER BY from_call_no DESC`,
  begin: `INSERT INTO full_text_parts (from_call_no, opened_at) VALUES (?, ?)`,
  hasGone: `UPDATE full_text_parts SET has_gone = 1 WHERE from_call_no = ?`,
  leave: `UPDATE full_text_parts SET leaving = 1 WHERE from_call_no = ?`,
  leaving: `SELECT ${PART_COLUMNS} FROM full_text_parts WHERE leaving = 1 LIMIT 1`,
  /** Never the last one, to which new calls belong. */
  withoutCalls: `SELECT ${PART_COLUMNS} FROM full_text_parts AS p
    WHERE EXISTS (SELECT 1 FROM full_text_parts AS n WHERE n.from_call_no > p.from_call_no)
      AND NOT EXISTS (SELECT 1 FROM call_records AS c WHERE c.call_no >= p.from_call_no
        AND c.call_no < (SELECT min(n.from_call_no) FROM full_text_parts AS n WHERE n.from_call_no > p.from_call_no))
    ORDER BY from_call_no LIMIT 1`,
  drop: `DELETE FROM full_text_parts WHERE from_call_no = ?`,
} as const;

/** What SQLite alone says this way. */
export const ENGINE = {
  /** turn_no as an integer: FTS5 takes a REAL for "no rowid given". */
  index: (table: string) => `INSERT INTO ${table} (rowid, text) VALUES (CAST(? AS INTEGER), ?)`,
  unindex: (table: string) => `INSERT INTO ${table} (${table}, rowid, text) VALUES ('delete', CAST(? AS INTEGER), ?)`,
  /** As the first migrations made turn_search and turn_texts. */
  beginPart: (table: string, from: number) => [
    `CREATE VIEW ${textsOf(table)} (turn_no, text) AS SELECT turn_no, text FROM all_turn_texts WHERE call_no >= ${from}
      AND call_no < coalesce((SELECT min(from_call_no) FROM full_text_parts WHERE from_call_no > ${from}), 9223372036854775807)`,
    `CREATE VIRTUAL TABLE ${table}
      USING fts5 (text, content = '${textsOf(table)}', content_rowid = 'turn_no', tokenize = 'ascii')`,
    `INSERT INTO ${table} (${table}, rank) VALUES ('secure-delete', 1)`,
  ],
  /** An index of no segments and no rows, so that an integrity check finds nothing wrong while its pages leave. */
  forgetIndex: (table: string) => [
    `UPDATE ${table}_data SET block = substr(block, 1, 4) || x'000000' WHERE id = 10`,
    `UPDATE ${table}_data SET block = x'' WHERE id = 1`,
  ],
  /** A step each, until it changes nothing. Rows of _data are pages; the others are small. */
  emptySome: (table: string, rows: number) => [
    `DELETE FROM ${table}_data WHERE id IN (SELECT id FROM ${table}_data WHERE id > 10 LIMIT ${rows})`,
    `DELETE FROM ${table}_docsize WHERE id IN (SELECT id FROM ${table}_docsize LIMIT ${100 * rows})`,
    `DELETE FROM ${table}_idx WHERE (segid, term) IN (SELECT segid, term FROM ${table}_idx LIMIT ${10 * rows})`,
  ],
  dropPart: (table: string) => [`DROP TABLE ${table}`, `DROP VIEW ${textsOf(table)}`],
  lastCallNo: `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'call_records'), 0) AS seq`,
  /** The last seq ever given, also when the log is empty. */
  head: `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) AS seq`,
} as const;

/** The view that a table of the full text was made with. */
function textsOf(table: string): string {
  return table.replace("turn_search", "turn_texts");
}

/** turn_no = call_no * TURNS + turn index. */
export const TURNS = 32_768;
