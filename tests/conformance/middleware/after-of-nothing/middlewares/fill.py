def after(response, context):
    if response is None:
        return {"filled": True}
