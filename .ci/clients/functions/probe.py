"""What the clients invoke."""


def handler(event, context):
    print("says", event.get("word"))
    if event.get("do") == "fail":
        raise ValueError("no such thing")
    client = context.client_context.custom if context.client_context else None
    return {"word": event.get("word"), "arn": context.invoked_function_arn, "client": client}
