def before(event, context):
    event["list"].append("marked")
    event["marked"] = {"by": "before"}
