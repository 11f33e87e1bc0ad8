return {
  handler = function()
    return { kept = 1, nothing = nil }
  end,
}
