return {
  handler = function(event)
    if type(event) == "function" then
      return event()
    end
    if event == "fail" then
      error("on the way")
    end
    return function()
      return "called"
    end
  end,
}
