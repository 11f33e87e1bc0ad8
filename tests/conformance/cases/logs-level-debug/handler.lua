return {
  handler = function()
    trine.log("debug", "shown debug")
    trine.log("info", "shown info")
  end,
}
