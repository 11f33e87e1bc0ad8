-- The body of a request is text in Lambda's event. A result without `statusCode` becomes the JSON body of a 200: Trine
-- writes it as JSON once more, so this is the whole of parsing and serialising.

return {
  handler = function(event, context)
    return trine.json.decode(event.body)
  end,
}
