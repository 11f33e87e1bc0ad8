"""What is written to the log."""

import logging
import sys
import traceback
import warnings

logger = logging.getLogger("named")


def levels(event, context):
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(logging, name)("a %s", name)


def level_set(event, context):
    logging.getLogger().setLevel(logging.DEBUG)
    logging.debug("shown")
    logging.log(5, "not shown")
    logging.log(25, "between")
    logging.log(60, "above")


def named(event, context):
    logger.warning("by name")
    logging.getLogger("a.b").error("deeper")


def empty(event, context):
    logging.warning("")
    logging.warning("two\nlines")
    logging.warning("é🙂")


def objects(event, context):
    logging.warning({"a": [1, None]})
    logging.warning(["a", 1])
    logging.warning(5)
    logging.warning(None)


def dictionary_arguments(event, context):
    logging.warning("%(a)s", {"a": 1})


def extra(event, context):
    logging.warning("more", extra={"order": 7, "none": None, "inner": {"a": [True]}, "text": "é"})


def extra_odd(event, context):
    logging.warning("odd", extra={"set": {1}, "object": sys.stdout.encoding, "bytes": b"a"})


def extra_reserved(event, context):
    logging.warning("mine", extra={"level": "mine", "timestamp": "mine", "requestId": "mine", "stackTrace": "mine"})


def exception(event, context):
    try:
        raise ValueError("told")
    except ValueError:
        logging.exception("caught")


def exception_none(event, context):
    logging.exception("nothing caught")


def exception_chained(event, context):
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError:
        logger.error("chain", exc_info=True)


def stack_info(event, context):
    logging.warning("with a stack", stack_info=True)


def basic_config(event, context):
    logging.basicConfig(level=logging.DEBUG, format="mine %(message)s")
    logging.info("is it shown")
    logging.warning("is it mine")


def basic_config_forced(event, context):
    logging.basicConfig(level=logging.DEBUG, format="mine %(message)s", force=True)
    logging.info("mine")


def own_handler(event, context):
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("own %(message)s"))
    logger.addHandler(handler)
    logger.warning("twice")


def formatter(event, context):
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(aws_request_id)s %(levelname)s %(message)s\n"))
    logging.warning("formatted")


def tenant_in_format(event, context):
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(tenant_id)s %(message)s\n"))
    logging.warning("formatted")


def bad_arguments(event, context):
    logging.raiseExceptions = False
    logging.warning("%s %s", "one")
    logging.warning("after")


def disabled(event, context):
    logging.disable(logging.ERROR)
    logging.error("not shown")
    logging.critical("shown")


def printed(event, context):
    print("printed", 1, None)
    print("two\nlines")
    print("é", end="")
    print()
    sys.stdout.write("written\n")
    sys.stdout.writelines(["a\n", "b\n"])


def printed_error(event, context):
    print("to stderr", file=sys.stderr)


def printed_without_end(event, context):
    print("unfinished", end="")


def printed_json(event, context):
    print('{"a": 1}')


def warned(event, context):
    warnings.simplefilter("always")
    warnings.warn_explicit("careful", UserWarning, "a.py", 1)


def warnings_captured(event, context):
    logging.captureWarnings(True)
    warnings.warn_explicit("careful", UserWarning, "a.py", 1)


def traceback_(event, context):
    try:
        raise ValueError("told")
    except ValueError:
        traceback.print_exc()


def raises(event, context):
    logging.warning("before")
    raise ValueError("raised")


def raises_empty(event, context):
    raise ValueError


def raises_lines(event, context):
    raise ValueError("one\ntwo")


def marshal(event, context):
    return {1}


def nothing(event, context):
    pass
