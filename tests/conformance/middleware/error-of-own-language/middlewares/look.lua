return {
  error = function(err)
    return { class = getmetatable(err).__name, attempts = err.details.attempts }
  end,
}
