local calls = 0

return {
  handler = function()
    calls = calls + 1
    return { calls = calls }
  end,
}
