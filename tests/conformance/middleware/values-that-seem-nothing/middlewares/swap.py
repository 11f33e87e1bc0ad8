def before(event, context):
    return event["before"]


def after(response, context):
    return [response]
