-- The indexes in which a call lands on a page of its own hold settled calls only. A call settles when it is enriched, or
-- with a thousand others when so many wait (write-settle.ts); until then it is found in idx_call_records_fresh, and every
-- read that walks one of these indexes asks both (read-sql.ts). Who has once settled stays settled.
ALTER TABLE call_records ADD COLUMN settled INTEGER NOT NULL DEFAULT 1;
CREATE INDEX idx_call_records_fresh ON call_records (agent_id, start_time, call_no, customer_sentiment_score) WHERE settled = 0;
DROP INDEX idx_call_records_agent_id;
DROP INDEX idx_call_records_composite;
DROP INDEX idx_call_records_start;
DROP INDEX idx_call_records_agent_start;
DROP INDEX idx_call_records_duration;
DROP INDEX idx_call_records_customer;
CREATE INDEX idx_call_records_agent_id ON call_records (agent_id) WHERE settled = 1;
CREATE INDEX idx_call_records_composite ON call_records (agent_id, created_at, customer_sentiment_score) WHERE settled = 1;
CREATE INDEX idx_call_records_start ON call_records (start_time, call_no, customer_sentiment_score) WHERE settled = 1;
CREATE INDEX idx_call_records_agent_start ON call_records (agent_id, start_time, call_no, customer_sentiment_score) WHERE settled = 1;
CREATE INDEX idx_call_records_duration ON call_records (duration_seconds) WHERE settled = 1;
CREATE INDEX idx_call_records_customer ON call_records (customer_id, start_time) WHERE settled = 1 AND customer_id IS NOT NULL;
-- Sums by hour were read by nobody, and cost a page a call.
DELETE FROM rollups WHERE grain = 1;
