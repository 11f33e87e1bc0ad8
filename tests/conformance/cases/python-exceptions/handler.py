def handler(event, context):
    if event == "keyboard":
        raise KeyboardInterrupt
    if event == "group":
        raise ExceptionGroup("both", [ValueError(1), TypeError(2)])
    if event == "finally":
        try:
            raise ValueError("early")
        finally:
            # The later one wins.
            raise KeyError("late")
    if event == "stop":
        raise StopIteration
    if event == "system":
        raise SystemExit("leaving")
    assert event != "assert", "not so"
    return event
