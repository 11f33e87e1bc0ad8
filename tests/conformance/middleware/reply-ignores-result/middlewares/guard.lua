return {
  before = function(event, context)
    context.reply({ replied = event.n })
    return { n = "not this" }
  end,
}
