local count = 0

return {
  before = function(event)
    count = count + 1
    event.n = count
    return event
  end,
}
