return {
  before = function(event)
    if event.clear then
      return trine.null
    end
    return nil
  end,
}
