-- Answers with what has reached it of the event and of `context.state`.

local M = {}

function M.handler(event, context)
  return trine.object({
    name = event.name,
    body = event.body,
    flags = event.flags,
    stamp = event.stamp,
    claims = context.state.claims,
  })
end

return M
