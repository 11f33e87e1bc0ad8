return {
  handler = function()
    return coroutine.create(function() end)
  end,
}
