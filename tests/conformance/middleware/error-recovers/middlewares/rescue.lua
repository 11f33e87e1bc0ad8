return {
  error = function(err)
    return { rescued = err.message:find("no luck", 1, true) ~= nil }
  end,
  after = function(response)
    return { inner = response }
  end,
}
