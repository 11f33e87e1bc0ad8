import not_installed


def handler(event, context):
    return not_installed
