local Base = { type = "Base" }
Base.__index = Base

local function fail()
  error("cannot be read")
end

local errors = {
  named = { name = "Named", message = "by name" },
  spoken = setmetatable({}, { __tostring = function() return "spoken" end }),
  inherited = setmetatable({ message = "own" }, Base),
  broken = setmetatable({}, { __index = fail, __tostring = fail }),
  userdata = io.stdout,
}

local function handler(event)
  if errors[event] then
    error(errors[event])
  end
  return event
end

return { handler = handler }
