def before(event, context):
    print("inner before ran")


def error(error, context):
    print("inner error ran")
