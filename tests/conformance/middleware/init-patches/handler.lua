local at_start = string.reverse("ab")

return {
  handler = function()
    return { at_start, ("cd"):reverse() }
  end,
}
