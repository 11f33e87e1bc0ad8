return {
  wrap = function(handler)
    return function(event, context)
      event.wrapped = true
      return { inside = handler(event, context) }
    end
  end,
  before = function(event)
    event.before = event.wrapped ~= nil
    return event
  end,
  after = function(response)
    return { outside = response }
  end,
}
