-- Does what the event asks for: answers, fails, never ends, leaves the process.
return {
  handler = function(event, context)
    if event["do"] == "fail" then
      error({ type = "TypeError", message = "no " .. event.number })
    elseif event["do"] == "spin" then
      while true do end
    elseif event["do"] == "hang" then
      trine.sleep(600)
    elseif event["do"] == "exit" then
      os.exit(3)
    elseif event["do"] == "wait" then
      trine.sleep(0.001)
    end
    return { number = event.number, stamps = context.state.stamps or trine.array(), pad = event.pad }
  end,
}
