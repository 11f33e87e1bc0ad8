def handler(event, context):
    if callable(event):
        return event()
    if event == "fail":
        raise RuntimeError("on the way")
    return lambda: "called"
