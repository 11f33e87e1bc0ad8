return {
  error = function()
    error({ type = "RangeError", message = "worse luck" })
  end,
}
