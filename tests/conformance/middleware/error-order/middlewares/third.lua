return {
  error = function(err)
    return nil, { message = err.message .. " third" }
  end,
}
