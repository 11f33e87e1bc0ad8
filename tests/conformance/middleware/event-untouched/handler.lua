return {
  handler = function()
    return "handled"
  end,
}
