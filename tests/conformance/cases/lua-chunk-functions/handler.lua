local handlers = {}

function handlers.closure()
  local count = 0
  return function()
    trine.sleep(0.001)
    count = count + 1
    return count <= 3 and count or nil
  end
end

function handlers.iterator()
  return ("a b"):gmatch("%a")
end

function handlers.yields()
  local done = false
  return function()
    if done then
      return nil
    end
    coroutine.yield("inner")
    done = true
    return "outer"
  end
end

function handlers.fails()
  local count = 0
  return function()
    count = count + 1
    if count > 1 then
      error("no more")
    end
    return count
  end
end

return {
  handler = function(event)
    return handlers[event]()
  end,
}
