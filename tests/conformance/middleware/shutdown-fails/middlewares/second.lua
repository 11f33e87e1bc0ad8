return {
  shutdown = function()
    print("second ended")
    error("no end")
  end,
}
