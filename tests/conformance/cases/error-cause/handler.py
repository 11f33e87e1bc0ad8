def inner():
    raise ValueError("inner")


def handler(event, context):
    try:
        inner()
    except ValueError as cause:
        raise RuntimeError("outer") from cause
