return {
  before = function(event)
    return event .. " lua"
  end,
}
