return {
  before = function(_, context)
    return {
      id = context.aws_request_id,
      name = context.function_name,
      late = context.get_remaining_time_in_millis() > 0,
    }
  end,
}
