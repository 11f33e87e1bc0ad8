return {
  handler = function(event, context)
    return context.get_remaining_time_in_millis()
  end,
}
