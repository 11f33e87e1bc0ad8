"""What Trine gives Python code. The module needs no file: `import trine` works in every handler and hook."""

from typing import Any, Final, Sequence, final

class DeadlineExceeded(BaseException):
    """Raised once in a call whose deadline is near: where it runs, or where it awaits.

    Catch it to answer in time. A call that lets it pass fails with `Function.Timeout` and the stack. It derives from
    `BaseException`, so that `except Exception` does not swallow it.
    """

    def __init__(self, message: str = ...) -> None: ...

class Interrupted(BaseException):
    """Raised in a call whose time is up, again and again until it ends. Clean up and let it pass."""

class ForeignError(Exception):
    """An error of a function in another language, as an `error` hook gets it; `str()` gives `type: message`.

    Raised again or returned, it is that error as it was.
    """

    error_type: str
    error_message: str
    stack_trace: list[str]
    def __init__(
        self, error_type: str, error_message: str = ..., stack_trace: Sequence[str] = ...
    ) -> None: ...

@final
class _Null:
    def __bool__(self) -> bool: ...

null: Final[_Null]
"""What a hook returns to put `null` in the place of a value: `None` keeps the value as it is."""
