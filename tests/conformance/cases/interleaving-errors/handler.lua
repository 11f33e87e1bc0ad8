local function handler(event)
  trine.sleep(event.ms / 1000)
  if event.fail then
    error(event.fail)
  end
  return "fine"
end

return { handler = handler }
