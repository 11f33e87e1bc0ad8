return {
  before = function(_, context)
    context.state.user =
      { name = "ada", seen = { "before" }, empty = trine.object({}), none = trine.array({}) }
    table.insert(context.state.user.seen, "again")
  end,
  after = function(response, context)
    local user, from_handler = context.state.user, context.state.fromHandler
    from_handler.deep[2].n = from_handler.deep[2].n + 1
    return { response = response, user = user, fromHandler = context.state.fromHandler }
  end,
}
