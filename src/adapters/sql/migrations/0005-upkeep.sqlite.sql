-- Why a call was deleted, and what a finished job found (JSON).
ALTER TABLE events ADD COLUMN reason TEXT;
ALTER TABLE jobs ADD COLUMN report TEXT;
