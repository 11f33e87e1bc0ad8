"""Handlers of every form."""

import functools


def function(event, context):
    return ["function", event]


lambda_ = lambda event, context: ["lambda", event]  # noqa: E731


class Called:
    def __call__(self, event, context):
        return ["instance", event]


class Methods:
    def bound(self, event, context):
        return ["bound", event]

    @staticmethod
    def static(event, context):
        return ["static", event]

    @classmethod
    def of_class(cls, event, context):
        return [cls.__name__, event]


class Made:
    """A handler that is a class: its instance is the result."""

    def __init__(self, event, context):
        pass


class Answers(dict):
    def __init__(self, event, context):
        super().__init__(made=event)


instance = Called()
bound = Methods().bound
static = Methods.static
of_class = Methods.of_class
partial = functools.partial(lambda first, event, context: [first, event], "partial")
partial_by_name = functools.partial(lambda event, context, more=None: [more, event], more="named")


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return ["decorated", function(*args, **kwargs), len(args), sorted(kwargs)]

    return wrapper


@decorator
def decorated(event, context):
    return event


def generator(event, context):
    yield "a"
    yield "b"


async def asynchronous(event, context):
    return ["async", event]


async def asynchronous_generator(event, context):
    yield "a"


def default(event, context=None):
    return ["default", context is not None]


def variadic(*args, **kwargs):
    return [len(args), sorted(kwargs)]


def other_names(e, c):
    return [e, type(c).__name__]


def positional(event, context, /):
    return event


def nothing():
    return "nothing"


def one(event):
    return event


def three(event, context, more):
    return "three"


def three_default(event, context, more=3):
    return more


def keyword_only(event, context, *, more):
    return more


builtin = max
builtin_of_type = dict
number = 5
none = None
text = "text"
module = functools
_private = lambda event, context: "private"  # noqa: E731
größe = lambda event, context: "größe"  # noqa: E731


def __getattr__(name):
    if name == "lazy":
        return lambda event, context: "lazy"
    if name == "fails":
        raise ValueError("no such thing")
    raise AttributeError(name)


@functools.lru_cache
def cached(event, context):
    return "cached"


@functools.singledispatch
def dispatched(event, context):
    return "object"


@dispatched.register
def _(event: dict, context):
    return "dict"


COUNT = 0


def counts(event, context):
    global COUNT
    COUNT += 1
    return COUNT
