return {
  timeout = function()
    print("timeout hook ran")
  end,
}
