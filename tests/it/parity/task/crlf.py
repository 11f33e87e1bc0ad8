def handler(event, context):
    return "crlf"
