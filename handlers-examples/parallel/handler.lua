-- Waits for several things, as for answers of several services, and tells the order in which they came.
-- Lua's handlers read from top to bottom: each wait begins when the one before has ended. While one waits, its worker
-- serves other invocations.

local M = {}

function M.handler(event, context)
  local finished, results = trine.array({}), trine.array({})
  for index, wait in ipairs(event.waits or {}) do
    trine.sleep(wait.ms / 1000)
    finished[index] = wait.name
    results[index] = wait.ms
  end
  return { finished = finished, results = results }
end

return M
