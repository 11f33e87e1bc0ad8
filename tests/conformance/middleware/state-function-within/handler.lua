return {
  handler = function(event, context)
    if event.read then
      return context.state.tools.list[1].run(20)
    end
    return "untouched"
  end,
}
