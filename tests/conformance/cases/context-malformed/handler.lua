return {
  handler = function()
    return "fine"
  end,
}
