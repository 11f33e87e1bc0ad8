before = 42


def after(response, context):
    pass
