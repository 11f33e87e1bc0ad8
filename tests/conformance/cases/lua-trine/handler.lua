local trine_module = require("trine")
local json = require("trine.json")

local function handler(event)
  local value = json.decode(event)
  local cyclic = {}
  cyclic.self = cyclic
  return {
    same = json.encode(json.decode(json.encode(value))):len() == json.encode(value):len(),
    null = { value.null == trine.null, json.null == trine.null, tostring(trine.null) },
    number = { math.type(value.n), math.type(value.f) },
    list = json.encode(value.list),
    map = json.encode(value.map),
    bad = (pcall(json.decode, "{")),
    cyclic = (pcall(json.encode, cyclic)),
    global = trine_module == trine,
  }
end

return { handler = handler }
