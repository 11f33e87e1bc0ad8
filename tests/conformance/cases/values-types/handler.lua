local function handler(event)
  if event == trine.null then
    return "null"
  end
  return math.type(event) or type(event)
end

return { handler = handler }
