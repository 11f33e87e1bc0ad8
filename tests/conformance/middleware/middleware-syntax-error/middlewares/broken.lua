return {
  before = function(event)
    return event +
  end,
}
