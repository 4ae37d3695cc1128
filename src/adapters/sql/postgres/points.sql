-- Vectors in columns that pgvector compares. All of it is in this schema: DROP SCHEMA earshot_points CASCADE takes it out,
-- triggers included. A row has the int8 values of call_codes or segment_codes, which halfvec holds exactly, and comes and
-- goes in the transaction that puts those in or takes them out, whoever writes: also a process that knows nothing of this.
CREATE SCHEMA earshot_points;

CREATE TABLE earshot_points.call (
  call_no bigint NOT NULL,
  part integer NOT NULL,
  part_end integer NOT NULL,
  space_no integer NOT NULL,
  created_at bigint NOT NULL,
  agent_no integer NOT NULL,
  start_time bigint NOT NULL,
  embedding halfvec(384) NOT NULL,
  PRIMARY KEY (call_no, part) INCLUDE (space_no)
);
CREATE INDEX ON earshot_points.call (agent_no, start_time) INCLUDE (space_no);
CREATE INDEX ON earshot_points.call (start_time) INCLUDE (space_no);

CREATE TABLE earshot_points.segment (LIKE earshot_points.call INCLUDING ALL);

-- What is there of a space: rows up to filled_to, all of them when filled; the mean that scores are about, in the scale of
-- the rows; the index that is a graph, about a mean of its own. A new
-- version, which no change had before, tells processes to read it again.
CREATE TABLE earshot_points.spaces (
  kind text NOT NULL CHECK (kind IN ('call', 'segment')),
  space_no integer NOT NULL,
  filled_to bigint NOT NULL DEFAULT 0,
  filled boolean NOT NULL DEFAULT false,
  rows_done bigint NOT NULL DEFAULT 0,
  rows_total bigint NOT NULL DEFAULT 0,
  mean double precision[],
  mean_rows bigint NOT NULL DEFAULT 0,
  graph text,
  graph_mean text,
  graph_rows bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  PRIMARY KEY (kind, space_no)
);

-- Calls whose rows could not be changed with them, to be put right later.
CREATE TABLE earshot_points.missed (call_no bigint PRIMARY KEY);

CREATE FUNCTION earshot_points.halves(code bytea) RETURNS halfvec LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  $$ SELECT ARRAY(SELECT (get_byte(code, i) # 128) - 128 FROM generate_series(0, 383) AS i)::halfvec $$;

-- A fault of pgvector is no reason to refuse a call: it is noted, and the write goes on. Whatever is about the server or
-- another transaction is left to the writer.
CREATE FUNCTION earshot_points.put_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO earshot_points.call AS p (call_no, part, part_end, space_no, created_at, agent_no, start_time, embedding)
    SELECT call_no, 0, 0, space_no, created_at, agent_no, start_time, earshot_points.halves(code) FROM fresh
    ON CONFLICT (call_no, part) DO UPDATE SET space_no = excluded.space_no, created_at = excluded.created_at,
      agent_no = excluded.agent_no, start_time = excluded.start_time, embedding = excluded.embedding;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE ~ '^(40|53|55|57|58)' THEN RAISE; END IF;
  INSERT INTO earshot_points.missed SELECT DISTINCT call_no FROM fresh ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION earshot_points.put_segments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO earshot_points.segment AS p (call_no, part, part_end, space_no, created_at, agent_no, start_time, embedding)
    SELECT call_no, first_turn, last_turn, space_no, created_at, agent_no, start_time, earshot_points.halves(code) FROM fresh
    ON CONFLICT (call_no, part) DO UPDATE SET part_end = excluded.part_end, space_no = excluded.space_no,
      created_at = excluded.created_at, agent_no = excluded.agent_no, start_time = excluded.start_time,
      embedding = excluded.embedding;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE ~ '^(40|53|55|57|58)' THEN RAISE; END IF;
  INSERT INTO earshot_points.missed SELECT DISTINCT call_no FROM fresh ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION earshot_points.drop_calls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM gone) THEN
    DELETE FROM earshot_points.call WHERE call_no = ANY(ARRAY(SELECT call_no FROM gone));
  END IF;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE ~ '^(40|53|55|57|58)' THEN RAISE; END IF;
  INSERT INTO earshot_points.missed SELECT DISTINCT call_no FROM gone ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION earshot_points.drop_segments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM gone) THEN
    DELETE FROM earshot_points.segment WHERE call_no = ANY(ARRAY(SELECT DISTINCT call_no FROM gone));
  END IF;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE ~ '^(40|53|55|57|58)' THEN RAISE; END IF;
  INSERT INTO earshot_points.missed SELECT DISTINCT call_no FROM gone ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

-- Making a trigger waits for the writers under way: those after them find it.
CREATE TRIGGER earshot_points_put AFTER INSERT ON call_codes REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION earshot_points.put_calls();
CREATE TRIGGER earshot_points_drop AFTER DELETE ON call_codes REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION earshot_points.drop_calls();
CREATE TRIGGER earshot_points_put AFTER INSERT ON segment_codes REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION earshot_points.put_segments();
CREATE TRIGGER earshot_points_drop AFTER DELETE ON segment_codes REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION earshot_points.drop_segments();
