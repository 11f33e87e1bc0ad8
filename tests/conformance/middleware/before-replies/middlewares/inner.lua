return {
  before = function(event)
    table.insert(event.trail, "inner.before")
    return event
  end,
  after = function(response)
    table.insert(response.trail, "inner.after")
    return response
  end,
}
