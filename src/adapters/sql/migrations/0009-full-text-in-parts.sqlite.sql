-- The full text lies in parts by call_no, so that retention can drop the words of many calls with the table they are in
-- (full-text-parts.ts, docs/adr/0008). turn_search stays, as the part of all calls so far; the others are made when they
-- begin. A part holds the calls from from_call_no up to the next one's. opened_at: epoch ms. has_gone: 1 once it holds words of
-- calls that are gone. leaving: 1 while it is emptied; nobody asks it then.
CREATE TABLE full_text_parts (
  from_call_no INTEGER PRIMARY KEY,
  opened_at INTEGER NOT NULL,
  has_gone INTEGER NOT NULL DEFAULT 0,
  leaving INTEGER NOT NULL DEFAULT 0
);
INSERT INTO full_text_parts (from_call_no, opened_at)
  VALUES (0, coalesce((SELECT min(created_at) FROM call_records), unixepoch() * 1000));

-- As turn_texts was, for all parts; each part has a view of its own calls, by the name its table was made with.
DROP VIEW turn_texts;
CREATE VIEW all_turn_texts (turn_no, text, call_no) AS
  WITH RECURSIVE digits (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digits WHERE d < 31)
  SELECT t.call_no * 32768 + x.d * 1024 + y.d * 32 + z.d, turn_words(k.key, t.body, x.d * 1024 + y.d * 32 + z.d), c.call_no
  FROM full_text_key AS k CROSS JOIN call_records AS c CROSS JOIN call_texts AS t ON t.call_no = c.call_no
    CROSS JOIN digits AS x ON x.d * 1024 < turn_count(t.body)
    CROSS JOIN digits AS y ON x.d * 1024 + y.d * 32 < turn_count(t.body)
    CROSS JOIN digits AS z ON x.d * 1024 + y.d * 32 + z.d < turn_count(t.body)
  WHERE c.in_full_text > 0 AND x.d * 1024 + y.d * 32 + z.d >= c.in_full_text - 1;
CREATE VIEW turn_texts (turn_no, text) AS
  SELECT turn_no, text FROM all_turn_texts
  WHERE call_no < coalesce((SELECT min(from_call_no) FROM full_text_parts WHERE from_call_no > 0), 9223372036854775807);
