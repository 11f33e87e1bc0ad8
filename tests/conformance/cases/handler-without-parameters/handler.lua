return {
  handler = function()
    return "constant"
  end,
}
