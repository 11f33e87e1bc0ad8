-- Answers the event, so that what is measured is the way to a function and back.
return {
  handler = function(event)
    return event
  end,
}
