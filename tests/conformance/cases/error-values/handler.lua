local raise = {
  string = function() error("just text") end,
  number = function() error(42) end,
  boolean = function() error(true) end,
  nothing = function() error(nil) end,
  table = function() error({ code = 7 }) end,
}

local function handler(event)
  if raise[event] then
    raise[event]()
  end
  return event
end

return { handler = handler }
