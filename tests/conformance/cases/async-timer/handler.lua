local function handler(event)
  local deadline = os.clock()
  trine.sleep(event.ms / 1000)
  return { waited = os.clock() >= deadline }
end

return { handler = handler }
