return {
  handler = function(event, context)
    if event.read then
      return context.state.timer(20)
    end
    return "untouched"
  end,
}
