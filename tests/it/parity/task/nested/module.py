NAME = __name__


def handler(event, context):
    return [__name__, __package__]
