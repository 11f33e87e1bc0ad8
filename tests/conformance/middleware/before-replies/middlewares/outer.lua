return {
  before = function(event)
    table.insert(event.trail, "outer.before")
    return event
  end,
  after = function(response)
    table.insert(response.trail, "outer.after")
    return response
  end,
}
