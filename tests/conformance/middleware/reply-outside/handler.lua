return {
  handler = function(event, context)
    if event.handler then
      context.reply(1)
    end
    return event
  end,
}
