def deep(n):
    return 1 + deep(n + 1)


def handler(event, context):
    if event == "deep":
        return deep(0)
    if event == "caught":
        try:
            deep(0)
        except RecursionError:
            return event
    return event
