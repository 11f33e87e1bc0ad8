return {
  init = function()
    error({ type = "RangeError", message = "no start" })
  end,
}
