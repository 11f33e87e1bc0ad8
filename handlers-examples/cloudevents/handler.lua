-- Confirms orders: a CloudEvent of the type `order.placed` is answered with one of the type `order.confirmed`.
-- Served with `--event-format cloudevents`, the event is the object of CloudEvents' JSON format, in whichever mode it came;
-- a result with `specversion`, `id`, `source` and `type` goes out as an event.

local M = {}

function M.handler(event, context)
  if event.type ~= "order.placed" then
    return { ignored = event.type or "no event" }
  end
  local total = 0
  for _, item in ipairs(event.data.items) do
    total = total + item.price * item.quantity
  end
  return {
    specversion = "1.0",
    id = event.id .. "-confirmed",
    source = "/confirmations",
    type = "order.confirmed",
    subject = event.data.order,
    data = { order = event.data.order, total = total },
  }
end

return M
