return {
  wrap = function(handler)
    return function(event, context)
      return { inner = handler(event, context) }
    end
  end,
}
