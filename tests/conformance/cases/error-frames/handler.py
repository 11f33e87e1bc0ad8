def handler(event, context):
    return [1] if event == "[1]" else int(None)
