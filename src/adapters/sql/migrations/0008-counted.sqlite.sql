-- A call is counted when it settles, and apart from the sums of measures, in grains of their own: 3 all time, 4 local day.
-- Among the measures each count lay on a page of its own; alone, those of all days and agents take some hundred pages.
UPDATE call_records SET settled = 1 WHERE settled = 0;
INSERT INTO rollups (generation, grain, bucket, agent_no, measure, n, sum_micro, squares_high, squares_low)
  SELECT generation, CASE grain WHEN 0 THEN 3 ELSE 4 END, bucket, agent_no, measure, n, sum_micro, squares_high, squares_low
  FROM rollups WHERE measure = -1;
DELETE FROM rollups WHERE measure = -1 AND grain IN (0, 2);
