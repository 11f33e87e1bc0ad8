def handler(event, context):
    state = context.state
    before = sorted(state)
    del state["first"]
    state["third"] = 3
    return {"before": before, "has": ["first" in state, "second" in state], "after": dict(state)}
