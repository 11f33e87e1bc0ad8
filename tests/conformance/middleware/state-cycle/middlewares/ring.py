def before(event, context):
    ring = {"n": 21}
    ring["next"] = {"next": ring}
    context.state["ring"] = ring
