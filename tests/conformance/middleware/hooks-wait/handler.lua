return {
  handler = function(event)
    trine.sleep(0.005)
    return event
  end,
}
