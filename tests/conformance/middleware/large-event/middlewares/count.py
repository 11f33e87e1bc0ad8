def before(event, context):
    print(f"length {len(event)}")


def after(response, context):
    return len(response)
