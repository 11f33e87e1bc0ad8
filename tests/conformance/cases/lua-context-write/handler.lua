local handlers = {}

function handlers.write(context)
  assert(context.write(trine.response { status = 202, headers = { ["X-Made-By"] = "Lua" } }) == true)
  assert(context.write("one\n") == true)
  trine.sleep(0.001)
  assert(context:write({ two = 2 }))
  coroutine.wrap(function()
    context.write("three\n")
  end)()
end

handlers["return"] = function()
  return { whole = true }
end

function handlers.both(context)
  context.write("one\n")
  return { lost = true }
end

-- A failed write may be caught, and the next one goes out.
local function attempts(context, attempt)
  context.write("first\n")
  for _, chunk in ipairs { print, trine.response { status = 500 } } do
    local sent, message = attempt(
      function()
        context.write(chunk)
      end
    )
    assert(not sent)
    context.write(message.type .. "\n")
  end
end

function handlers.caught(context)
  attempts(context, pcall)
end

function handlers.uncaught(context)
  attempts(context, function(write)
    return write()
  end)
end

return {
  handler = function(event, context)
    return handlers[event](context)
  end,
}
