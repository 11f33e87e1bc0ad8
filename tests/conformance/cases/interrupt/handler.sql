WITH RECURSIVE counted (n) AS (
  SELECT 1 WHERE event('@this') IN ('loop', 'stubborn')
  UNION ALL
  SELECT n + 1 FROM counted
)
SELECT event('@this') AS event, (SELECT count(*) FROM counted) AS counted;
