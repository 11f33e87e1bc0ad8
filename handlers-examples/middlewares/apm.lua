-- Times every function of the modules named in APM_MODULES (`inventory,prices`) that a Lua handler calls, and logs one
-- line for each invocation with their number and the sum of their milliseconds, which are the processor's. Stands last.
-- Calls from coroutines that a handler makes itself are not seen.

local calls_of = setmetatable({}, { __mode = "k" }) -- coroutine → { count, seconds }

local function finish(calls, start, ...)
  calls.count, calls.seconds = calls.count + 1, calls.seconds + os.clock() - start
  return ...
end

local function timed(inner)
  return function(...)
    local calls = calls_of[coroutine.running()]
    if not calls then
      return inner(...)
    end
    return finish(calls, os.clock(), inner(...))
  end
end

local M = {}

function M.init()
  local watched, plain_require = {}, require
  for name in (os.getenv("APM_MODULES") or ""):gmatch("[^,%s]+") do
    watched[name] = true
  end
  function require(name)
    local module, place = plain_require(name)
    if watched[name] and type(module) == "table" then
      watched[name] = nil
      for key, value in pairs(module) do
        module[key] = type(value) == "function" and timed(value) or value
      end
    end
    return module, place
  end
end

function M.wrap(handler)
  return function(event, context)
    local calls = { count = 0, seconds = 0 }
    calls_of[coroutine.running()] = calls
    local _ <close> = setmetatable({}, {
      __close = function()
        print(trine.json.encode({
          apm = "lua", requestId = context.aws_request_id, count = calls.count, milliseconds = calls.seconds * 1000,
        }))
      end,
    })
    return handler(event, context)
  end
end

return M
