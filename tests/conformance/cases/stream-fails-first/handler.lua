return {
  handler = function(event)
    return coroutine.create(function()
      if event == trine.null then
        error("not today")
      end
      coroutine.yield("one")
    end)
  end,
}
