-- Fails as the query asks (`?fail=NotFound&message=no+such+pet`), or calls a URL (`?url=…&times=2`): so many times
-- through the module `inventory`, and another function of that once.

local inventory = require("inventory") -- lua/inventory.lua

local M = {}

function M.handler(event, context)
  local query = event.queryStringParameters or event
  if query.fail then
    error({ type = query.fail, message = query.message })
  end
  local times = tonumber(query.times or 1)
  for _ = 1, times do
    inventory.look(query.url)
  end
  return { calls = inventory.sum(times, 1) }
end

return M
