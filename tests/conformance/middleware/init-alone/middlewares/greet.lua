return {
  init = function()
    print("init ran")
  end,
}
