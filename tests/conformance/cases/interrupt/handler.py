def handler(event, context):
    while event == "loop":
        pass
    while event == "stubborn":
        try:
            while True:
                pass
        except BaseException:
            pass
    return event
