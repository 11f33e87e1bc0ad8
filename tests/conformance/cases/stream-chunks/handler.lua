return {
  handler = function()
    return coroutine.create(function()
      coroutine.yield("one")
      coroutine.yield("two")
      coroutine.yield("three")
    end)
  end,
}
