from .. import name as parent


def relative():
    return f"{parent}.inner"
