def lambda_handler(event, context):
    return "lambda_handler"


def handler(event, context):
    return "handler"
