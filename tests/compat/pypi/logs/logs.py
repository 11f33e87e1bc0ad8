# structlog, loguru, python-json-logger, rich: logs in memory, with exceptions and bound values
import io
import json
import logging
import structlog
from loguru import logger as loguru
from pythonjsonlogger.json import JsonFormatter
from rich.console import Console
from rich.table import Table


def handler(event, context):
    sink = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(sink),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
    with structlog.contextvars.bound_contextvars(request="r"):
        log.bind(a=1).warning("hello", n=2)
    lines = []
    number = loguru.add(lambda message: lines.append(json.loads(message)["record"]), serialize=True)
    try:
        1 / 0
    except ZeroDivisionError:
        loguru.bind(b=1).exception("failed {}", 7)
    loguru.remove(number)
    plain, stream = logging.getLogger("compat"), io.StringIO()
    one = logging.StreamHandler(stream)
    one.setFormatter(JsonFormatter("%(levelname)s %(message)s"))
    plain.handlers, plain.propagate = [one], False
    plain.error("bad", extra={"k": [1]})
    console, table = Console(file=io.StringIO(), width=30), Table("a")
    table.add_row("[red]é[/]")
    console.print(table)
    return [
        json.loads(sink.getvalue()),
        [(line["message"], line["level"]["name"], line["extra"], line["exception"]["type"]) for line in lines],
        json.loads(stream.getvalue()),
        console.file.getvalue().count("é"),
    ]
