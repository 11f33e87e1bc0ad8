local last

return {
  handler = function(event)
    local same = event == last and getmetatable(event).kept == true
    last = setmetatable({ hops = event.hops + 1, same = same }, { kept = true })
    return last
  end,
}
