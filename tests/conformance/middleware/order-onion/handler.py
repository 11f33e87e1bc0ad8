def handler(event, context):
    return {"trail": event["trail"] + ["handler"]}
