local function deep(n)
  return 1 + deep(n + 1)
end

local function handler(event)
  if event == "deep" then
    return deep(0)
  elseif event == "caught" then
    assert(not pcall(deep, 0))
  end
  return event
end

return { handler = handler }
