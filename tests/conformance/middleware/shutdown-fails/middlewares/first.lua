return {
  shutdown = function()
    print("first ended")
    error("no end")
  end,
}
