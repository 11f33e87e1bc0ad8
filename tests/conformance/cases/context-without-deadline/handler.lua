return {
  handler = function(event, context)
    return context.get_remaining_time_in_millis() == math.huge and "endless" or "limited"
  end,
}
