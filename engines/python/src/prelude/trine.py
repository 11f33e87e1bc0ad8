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


class StreamingError(RuntimeError):
    """Raised at a `yield` whose value cannot be sent. `error_type` is the error's type, should nobody catch it."""

    __module__ = "trine"

    def __init__(self, message, error_type="Runtime.InvalidStreamingOperation"):
        super().__init__(message)
        self.error_type = error_type


class ResponseMetadata:
    """Status, headers, cookies and content type of a streamed response: a generator yields it first."""

    __module__ = "trine"
    __slots__ = ("status_code", "headers", "cookies", "content_type")

    def __init__(self, status_code=200, headers=None, cookies=None, content_type=None):
        self.status_code = status_code
        self.headers = {} if headers is None else headers
        self.cookies = [] if cookies is None else cookies
        self.content_type = content_type
        _check(self)

    def __repr__(self):
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"ResponseMetadata({members})"


# The characters of a header's name, by RFC 9110.
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _check(metadata):
    """Makes headers and cookies a dictionary and a list of their own; raises what is wrong with them."""
    status = metadata.status_code
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"status_code must be int, not {type(status).__name__}")
    if not 200 <= status <= 999:
        raise ValueError(f"status_code must be from 200 to 999, not {int(status)}")
    headers = metadata.headers
    if not hasattr(headers, "items"):
        raise TypeError(f"headers must be a mapping, not {type(headers).__name__}")
    metadata.headers = headers = dict(headers.items())
    for name, value in headers.items():
        if not isinstance(name, str):
            raise TypeError(f"names of headers must be str, not {type(name).__name__}")
        if not name or not _TOKEN.issuperset(name):
            raise ValueError(f"{name!r} is no name of a header")
        _check_text(f"headers[{name!r}]", value)
    cookies = metadata.cookies
    if isinstance(cookies, (str, bytes)) or not hasattr(cookies, "__iter__"):
        raise TypeError(f"cookies must be a list of str, not {type(cookies).__name__}")
    metadata.cookies = list(cookies)
    for at, cookie in enumerate(metadata.cookies):
        _check_text(f"cookies[{at}]", cookie)
    if metadata.content_type is not None:
        _check_text("content_type", metadata.content_type)
        if "content-type" in map(str.lower, headers):
            raise ValueError("the content type is given twice: as content_type and among the headers")


def _check_text(what, text):
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str, not {type(text).__name__}")
    for character in text:
        if character < " " and character != "\t" or character == "\x7f":
            raise ValueError(f"{what} must be one line without control characters, not {text!r}")


def head_of(metadata):
    """The content type that metadata name, and all of them as one document; None where the content type says it all."""
    # Their members may have been changed.
    _check(metadata)
    content_type, headers = metadata.content_type, metadata.headers
    named = [value for name, value in headers.items() if name.lower() == "content-type"]
    if content_type is None:
        content_type = named[0] if named else None
    if metadata.status_code == 200 and not headers and not metadata.cookies:
        return content_type, None
    if content_type is not None and not named:
        headers = {"content-type": content_type, **headers}
    document = {"statusCode": int(metadata.status_code)}
    if headers:
        document["headers"] = dict(headers)
    if metadata.cookies:
        document["cookies"] = metadata.cookies
    return content_type, document


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
