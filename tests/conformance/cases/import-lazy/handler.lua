return {
  handler = function(event)
    if event then
      return require("counter").increment()
    end
  end,
}
