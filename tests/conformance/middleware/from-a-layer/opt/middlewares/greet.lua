return {
  before = function(event)
    return "layer " .. event
  end,
}
