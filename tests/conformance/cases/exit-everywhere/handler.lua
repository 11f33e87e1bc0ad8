return {
  handler = function(event)
    if event == "later" then
      coroutine.wrap(function()
        trine.sleep(0.001)
        os.exit(5)
      end)()
    end
    if event == "caught" then
      pcall(os.exit, 6)
      return "not even an error"
    end
    return event
  end,
}
