return {
  before = function(event)
    local copy = {}
    for key, value in pairs(event) do
      copy[key] = value
    end
    return copy
  end,
}
