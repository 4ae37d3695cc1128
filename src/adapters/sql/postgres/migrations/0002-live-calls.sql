-- Calls that go on, as ../../migrations/0010-live-calls.sql describes them. text: bytes, since a text here holds no NUL.
CREATE TABLE live_calls (
  live_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id text COLLATE "C" NOT NULL UNIQUE,
  agent_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C",
  language text COLLATE "C" NOT NULL,
  start_time bigint NOT NULL,
  created_at bigint NOT NULL,
  start_digest bytea NOT NULL,
  turns integer NOT NULL DEFAULT 0,
  text_bytes integer NOT NULL DEFAULT 0,
  position integer NOT NULL DEFAULT 0,
  scored integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 0,
  active_at bigint NOT NULL,
  last_turn_at bigint,
  state text NOT NULL,
  alert_state text NOT NULL,
  alerts text NOT NULL DEFAULT '[]'
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX idx_live_calls_agent ON live_calls (agent_id, live_no);
CREATE INDEX idx_live_calls_customer ON live_calls (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX idx_live_calls_unscored ON live_calls (live_no) WHERE scored < position;
CREATE INDEX idx_live_calls_active ON live_calls (active_at);

CREATE TABLE live_turns (
  live_no bigint NOT NULL REFERENCES live_calls (live_no) ON DELETE CASCADE,
  turn_index integer NOT NULL,
  turn_id text COLLATE "C" NOT NULL,
  speaker text NOT NULL,
  text bytea NOT NULL,
  start_ms integer,
  end_ms integer,
  position integer NOT NULL,
  at bigint NOT NULL,
  sentiment double precision,
  method text,
  PRIMARY KEY (live_no, turn_index),
  UNIQUE (live_no, turn_id),
  UNIQUE (live_no, position)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Those of the ids that calls have which go on. No other begins with any of them before this transaction ends: whoever
-- begins one holds the lock alone and looks at the stored calls.
CREATE FUNCTION hold_live_calls(ids text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(20261104);
  RETURN QUERY SELECT call_id FROM live_calls WHERE call_id = ANY(ids);
END $$;

ALTER TABLE events ADD COLUMN turn_index integer, ADD COLUMN position integer, ADD COLUMN turn_sentiment double precision,
  ADD COLUMN live_sentiment double precision, ADD COLUMN rule_id text, ADD COLUMN evidence text;
ALTER TABLE events_new ADD COLUMN turn_index integer, ADD COLUMN position integer,
  ADD COLUMN turn_sentiment double precision, ADD COLUMN live_sentiment double precision, ADD COLUMN rule_id text,
  ADD COLUMN evidence text;

CREATE OR REPLACE FUNCTION sequence_events() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
  n bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM events_new) THEN
    -- One at a time, and each sees what the one before it has done: every statement here has a snapshot of its own.
    PERFORM pg_advisory_xact_lock(20261102);
    SELECT seq INTO last FROM event_head;
    WITH fresh AS (DELETE FROM events_new RETURNING *)
    INSERT INTO events (seq, type, at, call_no, call_id, agent_id, revision, customer_sentiment_score,
        agent_talk_ratio, state, reason, turn_index, position, turn_sentiment, live_sentiment, rule_id, evidence)
      SELECT last + row_number() OVER (ORDER BY event_no), type, at, call_no, call_id, agent_id, revision,
        customer_sentiment_score, agent_talk_ratio, state, reason, turn_index, position, turn_sentiment, live_sentiment,
        rule_id, evidence FROM fresh;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
      UPDATE event_head SET seq = last + n;
      PERFORM pg_notify('earshot_events', (last + n)::text);
    END IF;
  END IF;
  RETURN (SELECT seq FROM event_head);
END $$;
