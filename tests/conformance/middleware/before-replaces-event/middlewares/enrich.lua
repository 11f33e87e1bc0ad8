return {
  before = function(event)
    return { inner = event, by = "before" }
  end,
}
