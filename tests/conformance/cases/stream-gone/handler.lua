local told = false

local function stream()
  local mark <close> = setmetatable({}, {
    __close = function()
      told = true
    end,
  })
  while true do
    coroutine.yield("one")
  end
end

return {
  handler = function(event)
    if event == "told" then
      return told
    end
    return coroutine.create(stream)
  end,
}
