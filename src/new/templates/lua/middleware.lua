-- Runs around the function: `before` sees the event, `after` the response. Both may return another one; nil keeps it.

---@type trine.Middleware
local M = {}

function M.before(event, context)
  context.state.begun = os.clock()
end

function M.after(response, context)
  trine.log("info", ("answered in %.1f ms of processor time"):format(1000 * (os.clock() - context.state.begun)))
end

return M
