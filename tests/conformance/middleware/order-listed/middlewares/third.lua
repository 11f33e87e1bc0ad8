return {
  before = function(event)
    table.insert(event.trail, "third.before")
    return event
  end,
  after = function(response)
    table.insert(response.trail, "third.after")
    return response
  end,
}
