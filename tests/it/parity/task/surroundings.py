"""The context, the process and its environment."""

import inspect
import logging
import os
import signal
import sys
import threading
import warnings


def members(event, context):
    names = ["aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb"]
    names += ["function_version", "invoked_function_arn", "tenant_id", "client_context"]
    return {name: getattr(context, name) for name in names}


def types(event, context):
    names = [name for name in dir(context) if not name.startswith("__")]
    return {name: type(getattr(context, name)).__name__ for name in names if name in EXPECTED}


EXPECTED = """aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb function_version
invoked_function_arn tenant_id client_context identity get_remaining_time_in_millis log w3c""".split()


def public(event, context):
    return sorted(name for name in vars(context) if not name.startswith("__"))


def class_name(event, context):
    return type(context).__name__


def described(event, context):
    return repr(context)


def as_text(event, context):
    return f"{context}"


def remaining(event, context):
    left = context.get_remaining_time_in_millis()
    return [type(left).__name__, left > 0]


def remaining_none(event, context):
    return context.get_remaining_time_in_millis()


def client(event, context):
    given = context.client_context
    if given is None:
        return None
    return [repr(given), repr(given.client), given.custom, given.env, type(given).__name__, type(given.client).__name__]


def client_members(event, context):
    given = context.client_context.client
    return [given.installation_id, given.app_title, given.app_version_name, given.app_version_code, given.app_package_name]


def client_missing(event, context):
    return context.client_context.missing


def identity(event, context):
    given = context.identity
    return [repr(given), given.cognito_identity_id, given.cognito_identity_pool_id, type(given).__name__]


def identity_missing(event, context):
    return context.identity.missing


def w3c(event, context):
    return [sorted(context.w3c().items()), context.client_context and context.client_context.custom]


def missing(event, context):
    return context.missing


def camel_case(event, context):
    return context.awsRequestId


def written(event, context):
    context.mine = 1
    context.aws_request_id = "other"
    return [context.mine, context.aws_request_id]


def kept(event, context):
    seen = hasattr(context, "mine")
    context.mine = 1
    return seen


def subscript(event, context):
    return context["aws_request_id"]


def log(event, context):
    context.log("a line\n")
    context.log(5)
    context.log("\n")
    return context.log("é\n")


def environment(event, context):
    names = ["AWS_EXECUTION_ENV", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"]
    return {name: os.environ.get(name) is not None for name in names}


def execution(event, context):
    return os.environ.get("AWS_EXECUTION_ENV")


def handler_variable(event, context):
    return os.environ["_HANDLER"]


def trace(event, context):
    return [os.environ.get("_X_AMZN_TRACE_ID"), os.getenv("_X_AMZN_TRACE_ID"), "_X_AMZN_TRACE_ID" in os.environ]


AT_IMPORT = os.environ.get("_X_AMZN_TRACE_ID")


def trace_at_import(event, context):
    return AT_IMPORT


def python_path(event, context):
    return os.environ.get("PYTHONPATH")


def path(event, context):
    root = os.environ["LAMBDA_TASK_ROOT"]
    at = [sys.path.index(root)]
    return [at, at[0] < sys.path.index(os.path.dirname(os.__file__)), all(isinstance(entry, str) for entry in sys.path)]


def folder(event, context):
    return os.getcwd()


def thread(event, context):
    return [threading.current_thread() is threading.main_thread(), threading.current_thread().name]


def signals(event, context):
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.raise_signal(signal.SIGUSR1)
    return before is signal.SIG_DFL


def interrupt_handler(event, context):
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def recursion_limit(event, context):
    return sys.getrecursionlimit()


def module_name(event, context):
    return [__name__, __file__, __package__, __spec__.name, __name__ in sys.modules]


def main_module(event, context):
    return "__main__" in sys.modules


def streams(event, context):
    return [sys.stdout.encoding, sys.stderr.encoding, sys.stdout.isatty(), sys.stdin is not None, sys.stdout.fileno()]


def stdin(event, context):
    return type(sys.stdin).__name__


def root_logger(event, context):
    root = logging.getLogger()
    return [root.level, len(root.handlers), root.handlers[0].level, logging.getLogger("a").getEffectiveLevel()]


def converter(event, context):
    return logging.Formatter.converter.__name__


def frames(event, context):
    return [frame.function for frame in inspect.stack()][0]


def annotations(event: dict, context: "object") -> dict:
    return {name: str(kind) for name, kind in annotations.__annotations__.items()}


def flags(event, context):
    return [sys.flags.optimize, sys.flags.dev_mode, sys.flags.utf8_mode, sys.flags.isolated, sys.flags.no_site]


def encodings(event, context):
    return [sys.getdefaultencoding(), sys.getfilesystemencoding()]


def warned(event, context):
    warnings.warn("careful")
    return [action for action, *_ in warnings.filters][:1]


def builtins(event, context):
    return [callable(exit), callable(quit)]


def builtins_of_site(event, context):
    return [callable(copyright), callable(help)]


def site(event, context):
    return "site" in sys.modules


def asyncio_run(event, context):
    import asyncio

    async def main():
        await asyncio.sleep(0)
        return "ran"

    return asyncio.run(main())


def subprocess_(event, context):
    import subprocess

    return subprocess.run(["echo", "child"], capture_output=True, text=True).stdout
