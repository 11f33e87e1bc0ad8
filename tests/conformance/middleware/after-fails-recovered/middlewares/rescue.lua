return {
  error = function(err)
    return { rescued = err.message:find("no entry", 1, true) ~= nil }
  end,
}
