before = None
error = None


def after(response, context):
    return [response]
