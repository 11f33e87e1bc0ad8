return {
  before = function(event, context)
    context.reply(event)
  end,
  after = function()
    error("no")
  end,
}
