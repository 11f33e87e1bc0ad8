return {
  handler = function(event, context)
    local user = context.state.user
    table.insert(user.seen, "handler")
    user.name = user.name .. "!"
    context.state.fromHandler = { deep = { 1, { n = event.n } } }
    return { name = user.name }
  end,
}
