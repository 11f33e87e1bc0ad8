return {
  before = function(event)
    return "root " .. event
  end,
}
