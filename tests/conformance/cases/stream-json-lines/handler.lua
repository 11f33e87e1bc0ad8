return {
  handler = function()
    return coroutine.create(function()
      coroutine.yield({ 7 })
      coroutine.yield(true)
      coroutine.yield(1.5)
      coroutine.yield("text")
    end)
  end,
}
