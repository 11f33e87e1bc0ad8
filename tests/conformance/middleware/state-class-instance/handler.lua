return {
  handler = function(event, context)
    if event.read then
      return context.state.account:balance()
    end
    return "untouched"
  end,
}
