def wrap(handler):
    return 42
