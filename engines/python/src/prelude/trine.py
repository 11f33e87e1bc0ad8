"""The module `trine` of guests: what is raised in their code from outside, and what their hooks return."""


class Interrupted(BaseException):
    """Raised in a call whose time is up, again and again until it ends. Clean up and let it pass."""

    __module__ = "trine"


class DeadlineExceeded(BaseException):
    """Raised once in a call whose deadline is near. Catch it to answer in time.

    No `Exception`, so that an `except Exception` around a loop's body does not swallow it.
    """

    __module__ = "trine"

    def __init__(self, message="the deadline of this invocation is near"):
        super().__init__(message)


class ForeignError(Exception):
    """What a function of another language threw, as an `error` hook gets it."""

    __module__ = "trine"

    def __init__(self, error_type, error_message="", stack_trace=()):
        super().__init__(error_type, error_message)
        self.error_type = error_type
        self.error_message = error_message
        self.stack_trace = list(stack_trace)

    def __str__(self):
        return f"{self.error_type}: {self.error_message}"


class _Null:
    __module__ = "trine"
    __slots__ = ()

    def __repr__(self):
        return "trine.null"

    def __bool__(self):
        return False

    def __reduce__(self):
        return "null"


null = _Null()


def foreign_error(document):
    """The exception for an error document of another language."""
    if not isinstance(document, dict):
        return ForeignError("Error", str(document))
    stack = document.get("stackTrace", document.get("trace"))
    return ForeignError(
        document.get("errorType") or "Error",
        document.get("errorMessage") or "",
        stack if isinstance(stack, list) else (),
    )


def nothing():
    """Gives what was raised from outside a place to be raised at."""


def with_both(function, takes_event):
    """`function` as one that is called with event and context, whatever it takes; asynchronous if it is."""
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(getattr(type(function), "__call__", None), "__code__", None)
    # CO_COROUTINE.
    if code is not None and code.co_flags & 0x80:

        async def handler(event, context):
            return await (function(event) if takes_event else function())

    else:

        def handler(event, context):
            return function(event) if takes_event else function()

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        value = getattr(function, name, None)
        if value is not None:
            setattr(handler, name, value)
    return handler
