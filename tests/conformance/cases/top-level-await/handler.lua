local state = "early"
trine.sleep(0.01)
state = "ready"

return {
  handler = function()
    return state
  end,
}
