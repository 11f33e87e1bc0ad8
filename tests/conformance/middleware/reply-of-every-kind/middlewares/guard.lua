return {
  before = function(event, context)
    context.reply(event[1])
  end,
}
