-- Times are epoch milliseconds (UTC). Bytes a call and retention of each table: ARCHITECTURE.md.

-- Agents are interned: rollups and vector codes hold the small number. A team is a set of agents.
CREATE TABLE agents (
  agent_no INTEGER PRIMARY KEY,
  agent_id TEXT NOT NULL UNIQUE,
  team TEXT
);
CREATE INDEX idx_agents_team ON agents (team) WHERE team IS NOT NULL;

-- Narrow: measures and states only, so that lists and filters touch few pages.
CREATE TABLE call_records (
  call_no INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL,
  customer_id TEXT,
  language TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  duration_seconds REAL,
  agent_talk_ratio REAL,
  customer_sentiment_score REAL,
  outcome TEXT CHECK (outcome IN ('won', 'lost', 'open')),
  revision INTEGER NOT NULL DEFAULT 1,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'enriched', 'degraded', 'dead')),
  method TEXT,
  model TEXT,
  enriched_at INTEGER,
  error TEXT,
  digest BLOB NOT NULL,
  -- 1 while the turns are in turn_search: FTS5 must be told to delete exactly what it was given.
  in_full_text INTEGER NOT NULL DEFAULT 0
);
-- The four of the design notes, by name.
CREATE INDEX idx_call_records_agent_id ON call_records (agent_id);
CREATE INDEX idx_call_records_created_at ON call_records (created_at);
CREATE INDEX idx_call_records_sentiment ON call_records (customer_sentiment_score);
CREATE INDEX idx_call_records_composite ON call_records (agent_id, created_at, customer_sentiment_score);
-- What lists by start_time need: call_no before sentiment keeps ties in list order without sorting; sentiment inside lets
-- bands be filtered and counted from the index alone.
CREATE INDEX idx_call_records_start ON call_records (start_time, call_no, customer_sentiment_score);
CREATE INDEX idx_call_records_agent_start ON call_records (agent_id, start_time, call_no, customer_sentiment_score);
-- Every sort of a list has an index to walk.
CREATE INDEX idx_call_records_duration ON call_records (duration_seconds);
CREATE INDEX idx_call_records_talk_ratio ON call_records (agent_talk_ratio);
CREATE INDEX idx_call_records_updated ON call_records (updated_at);
CREATE INDEX idx_call_records_customer ON call_records (customer_id, start_time) WHERE customer_id IS NOT NULL;
CREATE INDEX idx_call_records_degraded ON call_records (call_no) WHERE state = 'degraded';

-- One row a call: the JSON of its turns, compressed once enriched (codec.ts).
CREATE TABLE call_texts (
  call_no INTEGER PRIMARY KEY REFERENCES call_records (call_no) ON DELETE CASCADE,
  body BLOB NOT NULL
);

-- The JSON of Insights, compressed; contribution: the values this call added to the rollups, to subtract them exactly
-- (float64 little-endian in the order of MEASURE_NAMES, NaN for null).
CREATE TABLE call_insights (
  call_no INTEGER PRIMARY KEY REFERENCES call_records (call_no) ON DELETE CASCADE,
  body BLOB NOT NULL,
  contribution BLOB NOT NULL
);

CREATE TABLE vector_spaces (
  space_no INTEGER PRIMARY KEY,
  space_id TEXT NOT NULL UNIQUE
);
-- What is read by number: float32 call vector for rescoring, one int8 blob of all turn vectors.
CREATE TABLE call_vectors (
  call_no INTEGER PRIMARY KEY REFERENCES call_records (call_no) ON DELETE CASCADE,
  space_no INTEGER NOT NULL,
  call BLOB NOT NULL,
  turns BLOB NOT NULL
);
-- What the index scans at start: narrow on purpose.
CREATE TABLE call_codes (
  call_no INTEGER PRIMARY KEY REFERENCES call_records (call_no) ON DELETE CASCADE,
  space_no INTEGER NOT NULL,
  agent_no INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  code BLOB NOT NULL
);
CREATE TABLE segment_codes (
  call_no INTEGER NOT NULL REFERENCES call_records (call_no) ON DELETE CASCADE,
  first_turn INTEGER NOT NULL,
  last_turn INTEGER NOT NULL,
  space_no INTEGER NOT NULL,
  agent_no INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  code BLOB NOT NULL,
  PRIMARY KEY (call_no, first_turn)
) WITHOUT ROWID;

-- Full text, one document a turn: turn_no = call_no * 32768 + turn index. External content with secure-delete, because
-- contentless tables keep erased words on disk. The view can return any turn (rebuild, integrity-check) on connections
-- that have the functions turn_count and turn_text; queries need the index alone, and rows leave it by the 'delete'
-- command. FTS5 allows no table-valued function in it, hence the counting by digits of base 32.
CREATE VIEW turn_texts (turn_no, text) AS
  WITH RECURSIVE digits (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digits WHERE d < 31)
  SELECT t.call_no * 32768 + x.d * 1024 + y.d * 32 + z.d, turn_text(t.body, x.d * 1024 + y.d * 32 + z.d)
  FROM call_records AS c CROSS JOIN call_texts AS t ON t.call_no = c.call_no
    CROSS JOIN digits AS x ON x.d * 1024 < turn_count(t.body)
    CROSS JOIN digits AS y ON x.d * 1024 + y.d * 32 < turn_count(t.body)
    CROSS JOIN digits AS z ON x.d * 1024 + y.d * 32 + z.d < turn_count(t.body)
  WHERE c.in_full_text = 1;
CREATE VIRTUAL TABLE turn_search USING fts5 (text, content = 'turn_texts', content_rowid = 'turn_no', tokenize = 'porter unicode61 remove_diacritics 2');
INSERT INTO turn_search (turn_search, rank) VALUES ('secure-delete', 1);

-- Work to do. Finished rows are deleted; the state lives here and nowhere else.
CREATE TABLE work (
  work_no INTEGER PRIMARY KEY AUTOINCREMENT,
  call_no INTEGER NOT NULL REFERENCES call_records (call_no) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'dead')),
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  run_after INTEGER NOT NULL,
  lease_until INTEGER,
  worker_id TEXT,
  error TEXT
);
CREATE INDEX idx_work_ready ON work (priority, run_after, work_no) WHERE state = 'ready';
CREATE INDEX idx_work_leases ON work (lease_until) WHERE state = 'running';
CREATE INDEX idx_work_dead ON work (work_no) WHERE state = 'dead';
CREATE INDEX idx_work_call ON work (call_no);

-- The log: ids and small facts, never personal text; seven days. seq is dense.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  call_no INTEGER NOT NULL,
  call_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  customer_sentiment_score REAL,
  agent_talk_ratio REAL,
  state TEXT
);

-- Integer sums, so that adding and subtracting is exact. grain: 0 all time (bucket 0), 1 UTC hour (hours since 1970),
-- 2 local day (days since 1970-01-01). measure: position in MEASURE_NAMES; -1 counts accepted calls in n.
-- The squares of milliseconds pass 64 bits, so each is split: squares_high * 2^26 + squares_low.
-- generation: the served one is rollup_state.serving; a rebuild fills the next one beside it and flips.
CREATE TABLE rollups (
  generation INTEGER NOT NULL,
  grain INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  agent_no INTEGER NOT NULL,
  measure INTEGER NOT NULL,
  n INTEGER NOT NULL,
  sum_micro INTEGER NOT NULL,
  squares_high INTEGER NOT NULL,
  squares_low INTEGER NOT NULL,
  PRIMARY KEY (generation, grain, bucket, agent_no, measure)
) WITHOUT ROWID;
-- One row: what is served, in whose days, and the rebuild under way. While rebuilt_to is not NULL, every writer adds
-- what it changes of calls up to that call_no to the next generation too.
CREATE TABLE rollup_state (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  serving INTEGER NOT NULL,
  timezone TEXT NOT NULL,
  next_timezone TEXT,
  rebuilt_to INTEGER
);

CREATE TABLE accounts (
  account_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('key', 'user')),
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  agent_id TEXT,
  team TEXT,
  secret TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
);
CREATE UNIQUE INDEX idx_accounts_user ON accounts (name) WHERE kind = 'user';
CREATE UNIQUE INDEX idx_accounts_key ON accounts (secret) WHERE kind = 'key';

CREATE TABLE one_use (
  sha256 TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE jobs (
  job_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  counts TEXT NOT NULL,
  errors TEXT NOT NULL,
  detail TEXT
);
CREATE TABLE bookmarks (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
