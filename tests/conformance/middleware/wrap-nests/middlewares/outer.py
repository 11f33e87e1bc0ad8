def wrap(handler):
    return lambda event, context: {"outer": handler(event, context)}
