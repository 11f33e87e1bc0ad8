served = 0


def before(event, context):
    global served
    served += 1


def shutdown(context):
    print(f"flushed after {served}")
