-- Greets by name. The event is `{"name": "Ada"}`, or an HTTP request with `?name=Ada`.
-- A result without `statusCode` becomes the JSON body of a 200, so both callers get the same answer.

local M = {}

---@type trine.Handler
function M.handler(event, context)
  local query = event.queryStringParameters or {}
  local name = event.name or query.name or "world"
  return { message = ("Hello, %s!"):format(name) }
end

return M
