"""Runs around the function: `before` sees the event, `after` the response. Both may return another one; `None` keeps it."""

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trine import LambdaContext


def before(event: Any, context: "LambdaContext") -> None:
    context.state["begun"] = time.time()


def after(response: Any, context: "LambdaContext") -> None:
    milliseconds = 1000 * (time.time() - context.state["begun"])
    print(f"answered {context.aws_request_id} in {milliseconds:.0f} ms")
