return {
  error = function(err)
    return {
      is = tostring(err) == "Broken: no luck",
      name = err.type,
      text = err.message,
    }
  end,
}
