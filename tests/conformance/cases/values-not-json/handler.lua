local function handler(event)
  if event == "json" then
    return event
  end
  return { event:byte(1, -1) }
end

return { handler = handler }
