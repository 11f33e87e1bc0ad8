local count = 0

return {
  handler = function(event)
    count = count + 1
    return { hook = event, handler = count }
  end,
}
