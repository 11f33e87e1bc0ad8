local order = {}

local function handler(event, context)
  trine.sleep(event.ms / 1000)
  table.insert(order, event.name)
  return { id = context.aws_request_id, order = table.move(order, 1, #order, 1, {}) }
end

return { handler = handler }
