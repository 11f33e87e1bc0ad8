def handler(event, context):
    return context.get_remaining_time_in_millis()
