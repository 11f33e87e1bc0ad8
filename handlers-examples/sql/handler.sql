-- Adds up an order. The event is {"id": "A-1", "items": [{"sku": "nut", "price": 0.5, "quantity": 4}]}.
-- Every statement runs in a database that is new for each call; the first row of the last one is the answer.

CREATE TABLE lines AS
SELECT
  value ->> 'sku' AS sku,
  coalesce(value ->> 'price', 0) AS price,
  coalesce(value ->> 'quantity', 1) AS quantity
FROM json_each(iif(event('items') = '', '[]', event('items')));

-- Goes to the log. A semicolon in a text; or in a comment; ends nothing.
SELECT print('order ' || event('id') || ': ' || count(*) || ' lines; ' || sum(quantity) || ' pieces') FROM lines;

SELECT
  event('id') AS id,
  count(*) AS lines,
  coalesce(sum(quantity), 0) AS pieces,
  round(coalesce(sum(price * quantity), 0), 2) AS total,
  (SELECT sku FROM lines ORDER BY price * quantity DESC, sku LIMIT 1) AS dearest
FROM lines;
