return {
  handler = function()
    error(setmetatable({ message = "no luck", details = { attempts = 3 } }, { __name = "Own" }))
  end,
}
