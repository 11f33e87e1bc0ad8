-- Greets by name. The event is {"name": "Ada"}, or an HTTP request with ?name=Ada.
-- A path that finds nothing gives an empty text.

SELECT
  'Hello, ' || coalesce(nullif(event('name'), ''), nullif(event('queryStringParameters.name'), ''), 'world') || '!'
    AS message;
