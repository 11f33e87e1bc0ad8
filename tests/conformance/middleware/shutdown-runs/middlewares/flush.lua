local served = 0

return {
  before = function()
    served = served + 1
  end,
  shutdown = function()
    print("flushed after " .. served)
  end,
}
