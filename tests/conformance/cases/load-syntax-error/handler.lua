local function handler(event)
  return event * ;
end

return { handler = handler }
