def wrap(handler):
    return handler
