def load():
    import missing

    return missing


def handler(event, context):
    if event == "catch":
        try:
            return load()
        except ImportError:
            return "caught"
    return load()
