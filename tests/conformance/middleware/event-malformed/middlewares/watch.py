def before(event, context):
    pass


def error(error, context):
    print("error hook ran")
