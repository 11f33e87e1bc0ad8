return {
  error = function(err)
    return nil, { message = err.message .. " second" }
  end,
}
