return {
  before = function(event)
    table.insert(event.trail, "first.before")
    return event
  end,
  after = function(response)
    table.insert(response.trail, "first.after")
    return response
  end,
}
