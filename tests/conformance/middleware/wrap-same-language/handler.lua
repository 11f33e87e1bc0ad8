return {
  handler = function(event)
    event.handled = true
    return event
  end,
}
