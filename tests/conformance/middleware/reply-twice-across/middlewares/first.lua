return {
  before = function(_, context)
    context.reply("first")
  end,
}
