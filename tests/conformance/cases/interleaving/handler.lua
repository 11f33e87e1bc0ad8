local sent

local function handler(event)
  if event.wait then
    repeat
      trine.sleep(0.001)
    until sent
    return sent
  end
  sent = event.send
  return "sent"
end

return { handler = handler }
