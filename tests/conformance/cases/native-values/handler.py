last = None


class Hops(dict):
    pass


def handler(event, context):
    global last
    last = Hops(hops=event["hops"] + 1, same=event is last)
    return last
