CREATE TABLE held (text);

INSERT INTO held
WITH RECURSIVE filled (n) AS (
  SELECT 1 WHERE event('@this') = 'fill'
  UNION ALL
  SELECT n + 1 FROM filled
)
SELECT printf('%01000d', n) FROM filled;

SELECT event('@this') AS event FROM (SELECT count(*) FROM held);
