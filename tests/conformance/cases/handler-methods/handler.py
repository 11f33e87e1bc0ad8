import functools


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Service:
    name = "bound"

    @logged
    def handle(self, event, context):
        return [self.name, event, context is not None]


handler = Service().handle
