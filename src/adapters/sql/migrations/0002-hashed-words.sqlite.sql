-- Full text without words: search-words.ts says why. The key makes the hashes of one database useless in another.
CREATE TABLE full_text_key (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  key BLOB NOT NULL
);
INSERT INTO full_text_key (only_row, key) VALUES (1, randomblob(32));

DROP TABLE turn_search;
DROP VIEW turn_texts;
-- As before, but the text of a turn is what search-words.ts makes of it. Connections have turn_count and turn_words.
CREATE VIEW turn_texts (turn_no, text) AS
  WITH RECURSIVE digits (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digits WHERE d < 31)
  SELECT t.call_no * 32768 + x.d * 1024 + y.d * 32 + z.d, turn_words(k.key, t.body, x.d * 1024 + y.d * 32 + z.d)
  FROM full_text_key AS k CROSS JOIN call_records AS c CROSS JOIN call_texts AS t ON t.call_no = c.call_no
    CROSS JOIN digits AS x ON x.d * 1024 < turn_count(t.body)
    CROSS JOIN digits AS y ON x.d * 1024 + y.d * 32 < turn_count(t.body)
    CROSS JOIN digits AS z ON x.d * 1024 + y.d * 32 + z.d < turn_count(t.body)
  WHERE c.in_full_text = 1;
-- secure-delete still: posting lists of an erased turn would tell which hashes stood in it, and in what order.
CREATE VIRTUAL TABLE turn_search USING fts5 (text, content = 'turn_texts', content_rowid = 'turn_no', tokenize = 'ascii');
INSERT INTO turn_search (turn_search, rank) VALUES ('secure-delete', 1);
INSERT INTO turn_search (turn_search) VALUES ('rebuild');
