def befor(event, context):
    pass


def helper():
    pass
