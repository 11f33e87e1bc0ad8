def handler(event, context):
    while event == "loop":
        pass
    if event == "stubborn":
        try:
            while True:
                pass
        except BaseException:
            while True:
                pass
    return event
