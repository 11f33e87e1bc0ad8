-- Works off a batch of an SQS queue. The ids of messages that failed are reported back, so that only those are
-- delivered again; without that, one failure repeats the whole batch. The queue's event source mapping needs
-- `ReportBatchItemFailures` for it.

local function ship(record)
  local order = trine.json.decode(record.body)
  if math.type(order.quantity) ~= "integer" or order.quantity < 1 then
    error(("order %s has no valid quantity"):format(order.order))
  end
  trine.log("info", ("order %s: %d on the way"):format(order.order, order.quantity))
end

local M = {}

function M.handler(event, context)
  -- The mark makes an empty list `[]` and not `{}`, which the queue would take for a failure of the whole batch.
  local failures = trine.array({})
  for _, record in ipairs(event.Records or {}) do
    local done, reason = pcall(ship, record)
    if not done then
      trine.log("error", ("message %s: %s"):format(record.messageId, reason))
      failures[#failures + 1] = { itemIdentifier = record.messageId }
    end
  end
  return { batchItemFailures = failures }
end

return M
