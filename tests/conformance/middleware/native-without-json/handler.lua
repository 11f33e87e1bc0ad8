return {
  handler = function()
    return { f = print }
  end,
}
