from nested import module


def handler(event, context):
    return [__name__, __package__, module.NAME]
