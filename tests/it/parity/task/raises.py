"""Exceptions of every kind."""

import json
import os
import signal
import sys
import threading

import helper


class Custom(Exception):
    pass


class Named(Exception):
    def __init__(self, code):
        self.code = code


class Described(Exception):
    def __str__(self):
        return "described"


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class UnprintableOtherwise(Exception):
    def __str__(self):
        return 5


class Base(BaseException):
    pass


class Outer:
    class Inner(Exception):
        pass


def plain(event, context):
    raise ValueError("plain")


def empty(event, context):
    raise ValueError


def empty_text(event, context):
    raise ValueError("")


def several(event, context):
    raise ValueError("a", 1)


def number(event, context):
    raise ValueError(5)


def nothing(event, context):
    raise ValueError(None)


def object_(event, context):
    raise ValueError({"a": [1]})


def bytes_(event, context):
    raise ValueError(b"bytes")


def unicode(event, context):
    raise ValueError("é🙂\u2028")


def lines(event, context):
    raise ValueError("one\ntwo\r\nthree\ttab")


def quotes(event, context):
    raise ValueError('"quoted" \\ \x00\x1b')


def surrogate(event, context):
    raise ValueError("\ud800")


def long(event, context):
    raise ValueError("x" * 5000)


def key(event, context):
    return {}["missing"]


def index(event, context):
    return [][1]


def attribute(event, context):
    return None.missing


def name(event, context):
    return undefined  # noqa: F821


def unbound(event, context):
    print(later)
    later = 1


def zero(event, context):
    return 1 / 0


def type_(event, context):
    return 1 + "a"


def file(event, context):
    open("/does/not/exist")


def os_error(event, context):
    raise OSError(2, "told")


def unicode_decode(event, context):
    return b"\xff".decode()


def json_decode(event, context):
    return json.loads("{")


def stop(event, context):
    raise StopIteration("stopped")


def generator_exit(event, context):
    raise GeneratorExit("left")


def assertion(event, context):
    assert 1 == 2, "told"


def assertion_bare(event, context):
    assert 1 == 2


def not_implemented(event, context):
    raise NotImplementedError


def import_(event, context):
    import missing_module  # noqa: F401


def import_name(event, context):
    from helper import missing  # noqa: F401


def syntax(event, context):
    exec("def (")


def syntax_text(event, context):
    raise SyntaxError("told")


def memory(event, context):
    raise MemoryError("told")


def memory_bare(event, context):
    raise MemoryError


def timeout(event, context):
    raise TimeoutError("late")


def custom(event, context):
    raise Custom("custom")


def custom_bare(event, context):
    raise Custom


def named(event, context):
    raise Named(5)


def described(event, context):
    raise Described("else")


def inner(event, context):
    raise Outer.Inner("inner")


def renamed(event, context):
    raise type("Odd Name-é", (Exception,), {})("odd")


def cause(event, context):
    try:
        raise KeyError("first")
    except KeyError as error:
        raise ValueError("second") from error


def context_(event, context):
    try:
        raise KeyError("first")
    except KeyError:
        raise ValueError("second")


def suppressed(event, context):
    try:
        raise KeyError("first")
    except KeyError:
        raise ValueError("second") from None


def group(event, context):
    raise ExceptionGroup("several", [ValueError("a"), KeyError("b")])


def base_group(event, context):
    raise BaseExceptionGroup("several", [KeyboardInterrupt()])


def note(event, context):
    error = ValueError("noted")
    error.add_note("a note")
    raise error


def unprintable(event, context):
    raise Unprintable


def unprintable_otherwise(event, context):
    raise UnprintableOtherwise


def base(event, context):
    raise Base("base")


def interrupt(event, context):
    raise KeyboardInterrupt("told")


def exit_0(event, context):
    sys.exit(0)


def exit_3(event, context):
    sys.exit(3)


def exit_none(event, context):
    sys.exit()


def exit_text(event, context):
    sys.exit("a text")


def exit_builtin(event, context):
    exit(4)


def exit_os(event, context):
    os._exit(5)


def exit_abort(event, context):
    os.abort()


def exit_killed(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def exit_caught(event, context):
    try:
        sys.exit(3)
    except SystemExit as error:
        return error.code


def recursion(event, context):
    return recursion(event, context)


def helped(event, context):
    return helper.fail("from the helper")


def from_c(event, context):
    return sorted([1, "a"])


def from_callback(event, context):
    return sorted([2, 1], key=lambda item: 1 / 0)


def from_lambda(event, context):
    return (lambda: 1 / 0)()


def from_comprehension(event, context):
    return [1 / number for number in [0]]


def from_generator(event, context):
    def numbers():
        yield 1
        raise ValueError("in the generator")

    return list(numbers())


def from_method(event, context):
    class Local:
        def method(self):
            raise ValueError("in the method")

    return Local().method()


def from_exec(event, context):
    exec("raise ValueError('in the text')")


def from_compiled(event, context):
    exec(compile("raise ValueError('compiled')", "<text>", "exec"))


def from_stdlib(event, context):
    return json.dumps(object())


def multiline(event, context):
    return helper.fail(
        "over lines",
    )


def reraised(event, context):
    try:
        helper.fail("again")
    except ValueError:
        raise


def finally_(event, context):
    try:
        helper.fail("and finally")
    finally:
        context.done = True


def with_traceback(event, context):
    raise ValueError("without a trace").with_traceback(None)


def instance_reused(event, context):
    raise REUSED


REUSED = ValueError("reused")


def thread(event, context):
    worker = threading.Thread(target=lambda: 1 / 0)
    worker.start()
    worker.join()
    return "after"


def not_an_exception(event, context):
    raise "text"


async def in_coroutine(event, context):
    raise ValueError("async")


def after_answer(event, context):
    if event == "fail":
        raise ValueError("first")
    return event


def marshal_in_dict(event, context):
    return {"when": {1, 2}}
