import missing_import


def handler(event, context):
    return missing_import
