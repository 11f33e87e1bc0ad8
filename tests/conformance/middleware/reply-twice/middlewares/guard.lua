return {
  before = function(event, context)
    context.reply({ first = true })
    if event.twice then
      context.reply({ second = true })
    end
  end,
}
