return {
  handler = function()
    print("printed")
  end,
}
