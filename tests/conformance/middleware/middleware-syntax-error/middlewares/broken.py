def before(event, context):
    return event +
