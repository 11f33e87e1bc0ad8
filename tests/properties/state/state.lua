-- Does to the state what the event lists for a place, and notes what comes of it.
local json = require("trine.json")

-- Lists that come from JSON are marked, so that an empty one can be told from an empty object.
local list = getmetatable(json.decode("[]"))

local function run(event, context, place)
  local state = context.state
  for _, entry in ipairs(event.places[place + 1]) do
    local act, key = entry[1], entry[2]
    local given = trine.null
    if act == "set" then
      state[key] = entry[3]
    elseif act == "get" then
      given = state[key]
      if given == nil then
        given = "absent"
      end
    elseif act == "has" then
      given = state[key] ~= nil
    elseif act == "remove" then
      state[key] = nil
    elseif act == "keys" then
      given = trine.array({})
      for name in pairs(state) do
        table.insert(given, name)
      end
      table.sort(given)
    elseif act == "append" then
      local value = state[key]
      given = type(value) == "table" and getmetatable(value) == list
      if given then
        table.insert(value, entry[3])
      end
    elseif act == "put" then
      local value = state[key]
      given = type(value) == "table" and getmetatable(value) ~= list
      if given then
        value[entry[3]] = entry[4]
      end
    end
    table.insert(event.notes, json.encode(given))
  end
  return event
end

local function at(place)
  return function(event, context)
    return run(event, context, place)
  end
end

return { before = at(FIRST), after = at(SECOND), handler = at(FIRST) }
