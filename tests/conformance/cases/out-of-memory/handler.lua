return {
  handler = function(event)
    local held = {}
    while event == "fill" do
      held[#held + 1] = ("x"):rep(1000) .. #held
    end
    return event
  end,
}
