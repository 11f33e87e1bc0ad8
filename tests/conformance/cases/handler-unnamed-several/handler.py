def get(event, context):
    return "get"


def post(event, context):
    return "post"
