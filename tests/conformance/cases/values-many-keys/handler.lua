local json = require("trine.json")

local function make(count)
  local made = {}
  for i = 1, count do
    made["key-" .. i] = i
  end
  return made
end

local function handler(event)
  local all = json.decode(json.encode(make(event)))
  local count = 0
  for _ in pairs(all) do
    count = count + 1
  end
  return { count = count, first = all["key-1"], last = all["key-" .. event] }
end

return { handler = handler }
