return {
  before = function() end,
  error = function()
    print("error hook ran")
  end,
}
