warn("@on")

return {
  handler = function()
    warn("old ", "fashioned")
  end,
}
