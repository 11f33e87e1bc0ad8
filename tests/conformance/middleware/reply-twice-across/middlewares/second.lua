return {
  before = function(_, context)
    context.reply("second")
  end,
}
