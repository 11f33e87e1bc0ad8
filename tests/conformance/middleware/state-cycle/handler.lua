return {
  handler = function(event, context)
    if event.read then
      return context.state.ring.next.next.n
    end
    return "untouched"
  end,
}
