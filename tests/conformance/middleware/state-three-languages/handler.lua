return {
  handler = function(_, context)
    table.insert(context.state.list, "handler")
    return "done"
  end,
}
