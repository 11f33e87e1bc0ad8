return {
  handler = function(event)
    if event.wait then
      trine.sleep(20)
    end
    return "answered"
  end,
}
