def after(response, context):
    if response.get("after"):
        raise LookupError("no exit")


def error(error, context):
    print("guard error ran")
