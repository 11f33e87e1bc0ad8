return {
  handler = function()
    print("handler ran")
    return "handled"
  end,
}
