SELECT CAST(coalesce(nullif(event('id'), ''), event()) AS INTEGER) AS id;
