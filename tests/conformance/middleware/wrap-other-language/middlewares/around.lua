return {
  wrap = function(handler)
    return handler
  end,
}
