return {
  wrap = function(handler)
    return function(event, context)
      return { outer = handler(event, context) }
    end
  end,
}
