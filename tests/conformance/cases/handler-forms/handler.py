def handler(event):
    return event["n"] * 2
