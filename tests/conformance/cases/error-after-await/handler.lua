local function late(ms)
  trine.sleep(ms / 1000)
  error("too late")
end

local function handler(event)
  if event.ms then
    late(event.ms)
  end
  return "in time"
end

return { handler = handler }
