told = False


def stream():
    global told
    try:
        while True:
            yield "one"
    finally:
        told = True


def handler(event, context):
    return told if event == "told" else stream()
