return {
  handler = function(_, context)
    return context.user
  end,
}
