import functools


def multiply(factor, event, context):
    return factor * event


handler = functools.partial(multiply, 3)
