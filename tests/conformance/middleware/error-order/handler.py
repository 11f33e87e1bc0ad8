class Broken(Exception):
    pass


def handler(event, context):
    if event.get("fail"):
        raise Broken("no luck")
    return {"fine": event["n"]}
