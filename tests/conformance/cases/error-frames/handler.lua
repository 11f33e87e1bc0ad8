return {
  handler = function(event)
    local value = trine.json.decode(event)
    return value
  end,
}
