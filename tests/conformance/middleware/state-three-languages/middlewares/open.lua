return {
  before = function(_, context)
    context.state.list = { "open" }
  end,
  after = function(_, context)
    return context.state.list
  end,
}
