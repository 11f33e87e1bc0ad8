-- Misbehaves as the event says.
local kept = 0
local ways = {}

function ways.fine()
  kept = kept + 1
  return kept
end

function ways.spin()
  while true do end
end

function ways.wait()
  trine.sleep(600)
end

function ways.regex()
  return ("a"):rep(40):find(("a-"):rep(40) .. "b")
end

function ways.storm()
  local text = ("x"):rep(1000000)
  while true do
    text:gsub("(x-)(x-)(x-)y", "")
  end
end

function ways.caught()
  local ok = pcall(function()
    while true do end
  end)
  return ok and "went on" or "in time"
end

function ways.caught_waiting()
  local ok = pcall(trine.sleep, 600)
  return ok and "went on" or "in time"
end

function ways.stubborn()
  while true do
    pcall(function()
      while true do end
    end)
  end
end

function ways.fill()
  local all = {}
  while true do
    all[#all + 1] = ("x"):rep(100000) .. #all
  end
end

function ways.exit()
  os.exit(7)
end

function ways.overflow()
  return 1 + ways.overflow()
end

function ways.nested()
  local value = {}
  for _ = 1, 200000 do
    value = { value }
  end
  return value
end

return {
  handler = function(event)
    -- Over HTTP the event is a request, and what is asked for its body.
    local asked = event.body and trine.json.decode(event.body) or event
    return ways[asked["do"]](asked)
  end,
}
