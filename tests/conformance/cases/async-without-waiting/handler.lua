return {
  handler = function(event)
    trine.sleep(0)
    return event
  end,
}
