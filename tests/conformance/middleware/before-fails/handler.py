def handler(event, context):
    print("handler ran")
    return "handled"
