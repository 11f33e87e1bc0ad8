local closed = trine.array {}

local function note(name)
  return setmetatable({}, {
    __close = function()
      closed[#closed + 1] = name
    end,
  })
end

local handlers = {}

function handlers.waits()
  local mark <close> = note("waits")
  coroutine.yield(1)
  trine.sleep(600)
end

function handlers.endless()
  local mark <close> = note("endless")
  local count = 0
  while true do
    count = count + 1
    coroutine.yield(count)
  end
end

return {
  handler = function(event)
    if event == "seen" then
      return closed
    end
    return coroutine.create(handlers[event])
  end,
}
