return {
  handler = function(event)
    trine.sleep(event / 1000)
    return "done"
  end,
}
