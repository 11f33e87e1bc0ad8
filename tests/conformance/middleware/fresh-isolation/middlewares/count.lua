local count = 0

return {
  before = function()
    count = count + 1
    return count
  end,
}
