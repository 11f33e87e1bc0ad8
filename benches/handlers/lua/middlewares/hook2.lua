-- Counts the hooks that an event has passed.
return {
  before = function(event)
    event.hooks = (event.hooks or 0) + 1
    return event
  end,
}
