"""What Trine gives Python code. The module needs no file: `import trine` works in every handler and hook."""

from typing import Any, Final, Iterable, Mapping, MutableMapping, Sequence, final

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

class ResponseMetadata:
    """What a handler that is a generator yields first: status, headers, cookies and content type of its response.

    What is wrong with them is a `TypeError` or a `ValueError`, here or at the `yield`.
    """

    status_code: int
    headers: Mapping[str, str]
    cookies: Iterable[str]
    content_type: str | None
    def __init__(
        self,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        cookies: Iterable[str] | None = None,
        content_type: str | None = None,
    ) -> None: ...

class StreamingError(RuntimeError):
    """Raised at a `yield` whose value cannot be sent.

    It is no text, no bytes and has no JSON form; it is metadata that come too late or twice; or the response would be
    larger than it may be. `error_type` is the type of the error with which the response ends, should nobody catch it.
    """

    error_type: str
    def __init__(self, message: str, error_type: str = ...) -> None: ...

@final
class _Null:
    def __bool__(self) -> bool: ...

null: Final[_Null]
"""What a hook returns to put `null` in the place of a value: `None` keeps the value as it is."""

class CognitoIdentity:
    cognito_identity_id: str | None
    cognito_identity_pool_id: str | None

class Client:
    installation_id: str | None
    app_title: str | None
    app_version_name: str | None
    app_version_code: str | None
    app_package_name: str | None

class ClientContext:
    custom: dict[str, Any] | None
    env: dict[str, Any] | None
    client: Client | None

class LambdaContext:
    """What handlers and hooks get as their context. Its facts are attributes of the object itself: `vars(context)`."""

    aws_request_id: str
    log_group_name: str | None
    log_stream_name: str | None
    function_name: str | None
    memory_limit_in_mb: str | None
    function_version: str | None
    invoked_function_arn: str | None
    tenant_id: str | None
    client_context: ClientContext | None
    identity: CognitoIdentity
    @property
    def trace_id(self) -> str | None:
        """The X-Ray trace id of the invocation."""
    @property
    def state(self) -> MutableMapping[str, Any]:
        """What all functions of this invocation share, whatever their language."""
    def reply(self, response: Any) -> None:
        """Answers the invocation from a `before` hook; the handler and later `before` hooks are not called."""
    def buffer_response(self) -> None:
        """Asks for the whole of a response that the handler streams.

        From a `before` hook it is for all `after` hooks; from an `after` hook, which is called once more with the whole
        response, for that hook and those that follow.
        """
    def get_remaining_time_in_millis(self) -> int: ...
    def log(self, msg: object) -> None: ...
    def w3c(self) -> dict[str, str]:
        """The W3C trace context to send along with calls; empty where there is none."""
