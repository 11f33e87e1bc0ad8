def wrap(handler):
    return lambda event, context: {"inner": handler(event, context)}
