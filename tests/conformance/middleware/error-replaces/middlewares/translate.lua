return {
  error = function()
    return nil, { type = "Translated", message = "out of luck" }
  end,
}
