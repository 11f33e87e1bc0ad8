local function handler(event, context)
  local before = context.get_remaining_time_in_millis()
  trine.sleep(0.02)
  local after = context:get_remaining_time_in_millis()
  return {
    within = before >= event.from and before <= event.to,
    counts = after <= before - 15,
  }
end

return { handler = handler }
