return {
  before = function(event)
    table.insert(event.trail, "second.before")
    return event
  end,
  after = function(response)
    table.insert(response.trail, "second.after")
    return response
  end,
}
