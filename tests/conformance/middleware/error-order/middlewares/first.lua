return {
  error = function(err)
    return nil, { message = err.message .. " first" }
  end,
}
