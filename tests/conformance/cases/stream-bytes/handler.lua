return {
  handler = function()
    return coroutine.create(function()
      coroutine.yield("a\0b")
      coroutine.yield("\xc3\xa9")
    end)
  end,
}
