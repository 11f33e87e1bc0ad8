local function handler(event)
  trine.log("info", "before " .. event.say)
  trine.sleep(event.ms / 1000)
  trine.log("info", "after " .. event.say)
end

return { handler = handler }
