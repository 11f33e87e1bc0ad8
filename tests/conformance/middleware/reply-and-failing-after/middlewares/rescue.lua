return {
  error = function()
    return "rescued"
  end,
}
