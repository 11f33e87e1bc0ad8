"""A durable function with AWS's SDK for Python."""

import os
import signal
import time

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, StepConfig, WaitForCallbackConfig
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

SECOND = Duration.from_seconds(1)


def soon(attempts):
    return StepConfig(retry_strategy=lambda error, attempt: RetryDecision(attempt < attempts, SECOND))


def fail(error):
    raise error


def every_kind(context: DurableContext):
    begun = context.step(lambda _: time.time(), name="begin")
    step = context.step(lambda _: 1, name="count")

    def fragile(_):
        # Each attempt is an invocation of its own, which begins with what is known.
        if time.time() - begun < 0.8:
            raise TypeError("not yet")
        return "at last"

    retried = context.step(fragile, name="fragile", config=soon(5))
    context.wait(SECOND, name="nap")

    def slow(own):
        own.wait(SECOND, name="short")
        return own.step(lambda _: "slow")

    parallel = context.parallel([slow, lambda own: own.step(lambda _: "fast")], name="both")
    squares = context.map(
        [1, 2, 3], lambda own, item, index, items: own.step(lambda _: item * item), name="squares"
    )

    def nested(own):
        own.wait(SECOND)
        return own.step(lambda _: "inside", name="inner")

    child = context.run_in_child_context(nested, name="child")
    invoked = context.invoke("helper", {"word": "é"}, name="call")
    durable = context.invoke("flow_js:$LATEST", {"do": "sleep"}, name="call")
    failed = error = "nothing"
    try:
        context.invoke("nobody", {}, name="call")
    except Exception as caught:
        failed = str(caught)

    def strategy(state, attempt):
        if state < 3:
            return WaitForConditionDecision.continue_waiting(SECOND)
        return WaitForConditionDecision.stop_polling()

    condition = context.wait_for_condition(
        lambda state, _: state + 1, WaitForConditionConfig(strategy, 0), name="poll"
    )
    try:
        context.step(lambda _: fail(RuntimeError("never")), name="hopeless", config=soon(2))
    except Exception as caught:
        error = str(caught)
    return {
        "step": step,
        "retried": retried,
        "parallel": parallel.get_results(),
        "mapped": squares.get_results(),
        "child": child,
        "invoked": invoked,
        "durable": durable,
        "failed": "not found" in failed,
        "condition": condition,
        "error": error,
    }


@durable_execution
def handler(event, context: DurableContext):
    match event.get("do"):
        case "all":
            return every_kind(context)
        case "sleep":
            context.wait(SECOND)
            return "slept"
        case "approval":
            config = WaitForCallbackConfig(timeout=Duration.from_seconds(event["timeout"]))
            try:
                return context.wait_for_callback(lambda callback_id, _: None, name="approval", config=config)
            except Exception as caught:
                return f"{type(caught).__name__}: {caught}"
        case "large":
            lengths = [len(context.step(lambda _: "x" * 600_000)) for _ in range(10)]
            context.wait(SECOND)
            return lengths
        case "crash":
            context.step(lambda _: 1, name="before")
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            raise ValueError("nothing to do")
