loads = (loads or 0) + 1
local count = 0

local function handler()
  count = count + 1
  return { count = count, loads = loads }
end

return { handler = handler }
