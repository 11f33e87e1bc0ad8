def after(response, context):
    if response.get("after"):
        raise LookupError("no entry")
