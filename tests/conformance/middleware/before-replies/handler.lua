return {
  handler = function(event)
    table.insert(event.trail, "handler")
    return { trail = event.trail }
  end,
}
