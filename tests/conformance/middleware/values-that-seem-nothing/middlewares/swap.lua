return {
  before = function(event)
    return event.before
  end,
  after = function(response)
    return { response }
  end,
}
