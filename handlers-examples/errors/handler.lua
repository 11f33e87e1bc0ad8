-- Fails in the way that the event's `kind` names: `{"kind": "own"}`, or an HTTP request with `?kind=own`. Callers get
-- `errorType` ("LuaError" where the error has none), `errorMessage` and `stackTrace`.

local kinds = {}

-- An error with a type of its own: a table with `type` and `message`.
function kinds.own()
  error({ type = "OutOfStockError", message = "no anvil left" })
end

-- An error that the language raises. Its position leads the stack and is left out of the message.
function kinds.builtin()
  local item = nil
  return item.price
end

-- An error that is the reason for another. Lua has no chain of causes, so the reason goes into the message.
function kinds.cause()
  local placed, reason = pcall(kinds.own)
  if not placed then
    error({ type = "OrderError", message = "cannot place the order: " .. reason.message })
  end
end

-- An error after the handler has waited for something.
function kinds.later()
  trine.sleep(0.01)
  error("quantity must be from 1 to 9")
end

-- Lua raises any value. A table without a message is shown as JSON.
function kinds.value()
  error({ code = 7 })
end

local function names()
  local list = {}
  for name in pairs(kinds) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local M = {}

function M.handler(event, context)
  local kind = event.kind or event.queryStringParameters and event.queryStringParameters.kind
  if not kinds[kind] then
    return { kinds = names() }
  end
  return kinds[kind]()
end

return M
