def after(response, context):
    return {"outer": response}


def error(error, context):
    print(f"outer saw {error}")
