return {
  handler = function(event)
    while event.loop do
      trine.sleep(0)
    end
    trine.sleep(event.ms / 1000)
    return "fine"
  end,
}
