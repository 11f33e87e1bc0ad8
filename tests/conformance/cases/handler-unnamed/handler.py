def helper(event, context):
    return "the helper"


def lambda_handler(event, context):
    return {"taken": event}
