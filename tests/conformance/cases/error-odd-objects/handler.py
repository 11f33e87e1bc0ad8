class Odd(Exception):
    def __str__(self):
        raise TypeError("no message")


class Cyclic(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.__cause__ = self


ERRORS = {
    "unreadable": lambda: Odd(),
    "cyclic": lambda: Cyclic("round"),
    "empty": lambda: Exception(),
}


def handler(event, context):
    if event in ERRORS:
        raise ERRORS[event]()
    return event
