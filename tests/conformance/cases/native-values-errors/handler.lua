return {
  handler = function(event)
    if type(event) == "table" then
      return event.call()
    end
    if event == "fail" then
      error("on the way")
    end
    return {
      call = function()
        return "called"
      end,
    }
  end,
}
