-- Retention takes the turns of a call out of the full text a few at a time: call_records.in_full_text is 1 plus the number
-- of turns that are out already (0: none is in). As before otherwise.
DROP VIEW turn_texts;
CREATE VIEW turn_texts (turn_no, text) AS
  WITH RECURSIVE digits (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM digits WHERE d < 31)
  SELECT t.call_no * 32768 + x.d * 1024 + y.d * 32 + z.d, turn_words(k.key, t.body, x.d * 1024 + y.d * 32 + z.d)
  FROM full_text_key AS k CROSS JOIN call_records AS c CROSS JOIN call_texts AS t ON t.call_no = c.call_no
    CROSS JOIN digits AS x ON x.d * 1024 < turn_count(t.body)
    CROSS JOIN digits AS y ON x.d * 1024 + y.d * 32 < turn_count(t.body)
    CROSS JOIN digits AS z ON x.d * 1024 + y.d * 32 + z.d < turn_count(t.body)
  WHERE c.in_full_text > 0 AND x.d * 1024 + y.d * 32 + z.d >= c.in_full_text - 1;
