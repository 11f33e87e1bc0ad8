def after(response, context):
    if isinstance(response, dict) and "list" in response:
        response["list"].append("stamped")
