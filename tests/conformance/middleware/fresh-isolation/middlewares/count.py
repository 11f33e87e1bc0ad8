count = 0


def before(event, context):
    global count
    count += 1
    return count
