import circular_other


def handler(event, context):
    return circular_other.VALUE
