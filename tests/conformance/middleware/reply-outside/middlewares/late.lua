return {
  after = function(response, context)
    if response.after then
      context.reply(1)
    end
  end,
}
