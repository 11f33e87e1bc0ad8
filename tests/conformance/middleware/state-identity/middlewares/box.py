import builtins


def before(event, context):
    builtins.conformance_box = {}
    context.state["box"] = builtins.conformance_box
