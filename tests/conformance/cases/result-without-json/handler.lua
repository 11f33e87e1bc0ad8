local cycle = { list = {} }
cycle.list[1] = cycle

local results = {
  cycle = cycle,
  ["function"] = { function() end },
  ["bad-text"] = "\xff",
}

local function handler(event)
  return results[event] or event
end

return { handler = handler }
