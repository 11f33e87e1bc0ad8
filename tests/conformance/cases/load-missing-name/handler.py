from names import absent


def handler(event, context):
    return absent
