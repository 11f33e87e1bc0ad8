-- Answers each event with one about it.
return {
  handler = function(event)
    event.id = event.id .. "-reply"
    event.source = "/reply"
    return event
  end,
}
