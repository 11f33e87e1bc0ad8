return {
  handler = function()
    trine.log("trace", "hidden trace")
    trine.log("debug", "hidden debug")
    trine.log("info", "hidden info")
    trine.log("warn", "shown warning")
    trine.log("error", "shown error")
  end,
}
