return {
  before = function()
    print("inner before ran")
  end,
  error = function()
    print("inner error ran")
  end,
}
