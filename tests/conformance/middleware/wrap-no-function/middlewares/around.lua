return {
  wrap = function()
    return 42
  end,
}
