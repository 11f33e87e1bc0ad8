loads = globals().get("loads", 0) + 1
count = 0


def handler(event, context):
    global count
    count += 1
    return {"count": count, "loads": loads}
