GUARD = "not main"
if __name__ == "__main__":
    GUARD = "main"


def handler(event, context):
    return GUARD
