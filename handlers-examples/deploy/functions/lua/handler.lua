-- Greets by name. The event is an HTTP request with `?name=Ada`, or `{"name": "Ada"}`.
-- The id in the log comes from the layer's middleware.

local M = {}

function M.handler(event, context)
  local query = event.queryStringParameters or {}
  local name = event.name or query.name or "world"
  print(("request %s: greeting %s"):format(context.state.requestId, name))
  return { message = ("Hello, %s!"):format(name) }
end

return M
