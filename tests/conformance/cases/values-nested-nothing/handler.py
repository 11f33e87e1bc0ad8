def handler(event, context):
    return {"kept": 1, "nothing": None}
