-- Calls that go on. All of it goes when the call ends: the stored call is made of it in the same transaction.
-- start_digest: of what the sender said at the start, to tell a repeat. turns, text_bytes: so far. position: of the last
-- turn message, a new turn or a corrected one; scored: up to which position turns have their sentiment. version: grows with
-- each save of what is derived, so that of two processes one saves. state, alert_state: JSON of core/live-measures.ts and
-- core/live-alerts.ts. alerts: JSON of the alerts given, never words of the call.
CREATE TABLE live_calls (
  live_no INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL,
  customer_id TEXT,
  language TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  start_digest BLOB NOT NULL,
  turns INTEGER NOT NULL DEFAULT 0,
  text_bytes INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL DEFAULT 0,
  scored INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0,
  active_at INTEGER NOT NULL,
  last_turn_at INTEGER,
  state TEXT NOT NULL,
  alert_state TEXT NOT NULL,
  alerts TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX idx_live_calls_agent ON live_calls (agent_id, live_no);
CREATE INDEX idx_live_calls_customer ON live_calls (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX idx_live_calls_unscored ON live_calls (live_no) WHERE scored < position;
CREATE INDEX idx_live_calls_active ON live_calls (active_at);

-- position: of the newest version of the turn. at: when its first version arrived. method is NULL until it is scored.
CREATE TABLE live_turns (
  live_no INTEGER NOT NULL REFERENCES live_calls (live_no) ON DELETE CASCADE,
  turn_index INTEGER NOT NULL,
  turn_id TEXT NOT NULL,
  speaker TEXT NOT NULL,
  text TEXT NOT NULL,
  start_ms INTEGER,
  end_ms INTEGER,
  position INTEGER NOT NULL,
  at INTEGER NOT NULL,
  sentiment REAL,
  method TEXT,
  PRIMARY KEY (live_no, turn_index)
) WITHOUT ROWID;
CREATE UNIQUE INDEX idx_live_turns_id ON live_turns (live_no, turn_id);
CREATE UNIQUE INDEX idx_live_turns_position ON live_turns (live_no, position);

-- Of live.turn and live.alert; NULL for others. evidence: JSON of turn indexes.
ALTER TABLE events ADD COLUMN turn_index INTEGER;
ALTER TABLE events ADD COLUMN position INTEGER;
ALTER TABLE events ADD COLUMN turn_sentiment REAL;
ALTER TABLE events ADD COLUMN live_sentiment REAL;
ALTER TABLE events ADD COLUMN rule_id TEXT;
ALTER TABLE events ADD COLUMN evidence TEXT;
