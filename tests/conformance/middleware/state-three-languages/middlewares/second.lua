return {
  before = function(_, context)
    table.insert(context.state.list, "second")
  end,
}
