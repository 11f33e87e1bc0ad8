return {
  handler = function()
    return 1
  end,
  other = function()
    return 2
  end,
}
