-- What came of requests that carried an Idempotency-Key, written in the transaction of what they wrote. 24 hours.
-- fingerprint: SHA-256 of method, path and body. outcome: what the command answered, as JSON, compressed (codec.ts):
-- ids, revisions and counts, never words of a call.
CREATE TABLE idempotency_keys (
  account_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  outcome BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, key)
);
CREATE INDEX idx_idempotency_keys_expiry ON idempotency_keys (expires_at);
