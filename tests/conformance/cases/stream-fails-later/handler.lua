return {
  handler = function()
    return coroutine.create(function()
      coroutine.yield("one")
      coroutine.yield("two")
      error("not today")
    end)
  end,
}
