return {
  handler = function(event, context)
    if event.read then
      return context.state.box == conformance_box
    end
    return "untouched"
  end,
}
