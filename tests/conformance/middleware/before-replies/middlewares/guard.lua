return {
  before = function(event, context)
    if event.deny then
      table.insert(event.trail, "guard.reply")
      context.reply({ trail = event.trail })
    end
  end,
  after = function(response)
    table.insert(response.trail, "guard.after")
    return response
  end,
}
