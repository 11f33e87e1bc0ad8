local inits = 0

return {
  init = function()
    inits = inits + 1
  end,
  before = function()
    return inits
  end,
}
