return {
  handler = function(event)
    event.add = function(n)
      return event.n + n
    end
    return event
  end,
}
