local function handler(event)
  return event.b.c
end

return { handler = handler }
