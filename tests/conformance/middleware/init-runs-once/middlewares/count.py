inits = 0


def init(context):
    global inits
    inits += 1


def before(event, context):
    return inits
