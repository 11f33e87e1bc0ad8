import trine


def function():
    yield "a"
    yield "b"


def delegated():
    yield from function()
    yield "c"


async def asynchronous():
    yield "a"
    yield "b"


async def awaited():
    return asynchronous()


def caught():
    try:
        yield {1}
    except trine.StreamingError as error:
        message = str(error)
    yield message


def uncaught():
    yield "a"
    yield {1}


def first():
    yield {1}


kinds = {
    "function": function,
    "expression": lambda: (n for n in range(2)),
    "delegated": delegated,
    "asynchronous": asynchronous,
    "awaited": awaited,
    "caught": caught,
    "uncaught": uncaught,
    "first": first,
    "list": lambda: [1, 2],
    "map": lambda: map(str, [1]),
}


def handler(event, context):
    return kinds[event]()
