local piece = ("0123456789abcdef"):rep(64)

return {
  handler = function()
    local count = 0
    return function()
      count = count + 1
      return count <= 1024 and piece or nil
    end
  end,
}
