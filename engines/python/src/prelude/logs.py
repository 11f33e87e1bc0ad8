"""Sets up `logging` when a guest imports it: one handler on the root logger, in AWS's text or JSON form."""

import logging
import time

_RESERVED = frozenset(
    vars(logging.LogRecord("", 0, "", 0, "", None, None))
) | {"message", "asctime", "aws_request_id", "tenant_id", "taskName"}


def _level_name(record):
    """The name of a record's level; numbers between two of `logging`'s own count as the lower one."""
    return logging.getLevelName(max(0, min(50, record.levelno)) // 10 * 10)


def _stamp(record):
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _message(record):
    """What was logged: a dictionary stays an object, so that its members can be searched for."""
    return record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage()


def _text(value):
    try:
        return str(value)
    except Exception:
        return object.__repr__(value)


def _dump(fields):
    import json

    return json.dumps(fields, ensure_ascii=False, default=_text, skipkeys=True, allow_nan=False)


def _plain(value, above=()):
    """A value as JSON can have it: numbers that are none become `None`, and what contains itself ends there."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) in above:
        return "..."
    above += (id(value),)
    if isinstance(value, dict):
        return {key: _plain(item, above) for key, item in value.items()}
    return [_plain(item, above) for item in value]


def _contains_itself(value):
    try:
        _dump(value)
    except ValueError as error:
        return "Circular" in str(error)
    return False


class Formatter(logging.Formatter):
    """The form that `AWS_LAMBDA_LOG_FORMAT` chose."""

    def __init__(self):
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
            "%Y-%m-%dT%H:%M:%S",
        )

    def format(self, record):
        return self._json(record) if _trine.log_json() else super().format(record)

    def _json(self, record):
        fields = {
            "timestamp": _stamp(record),
            "level": _level_name(record),
            "message": _message(record),
            "logger": record.name,
            "stackTrace": None,
            "errorType": None,
            "errorMessage": None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": None,
        }
        tenant = getattr(record, "tenant_id", None)
        if tenant is not None:
            fields["tenantId"] = tenant
        if record.exc_info and record.exc_info[0] is not None:
            import traceback

            kind, value, trace = record.exc_info
            fields["stackTrace"] = traceback.format_tb(trace)
            fields["errorType"] = kind.__name__
            fields["errorMessage"] = str(value)
            fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        for key, value in vars(record).items():
            if key not in _RESERVED and key not in fields:
                fields[key] = value
        fields = {key: value for key, value in fields.items() if value is not None}
        try:
            text = _dump(fields)
        except ValueError:
            if _contains_itself(fields["message"]):
                fields["message"] = record.getMessage()
            text = _dump(_plain(fields))
        return text + "\n"


class Filter(logging.Filter):
    """Gives every record the id of the invocation that it belongs to."""

    def filter(self, record):
        context = _request.get()
        record.aws_request_id = "" if context is None else context.aws_request_id
        record.tenant_id = None if context is None else context.tenant_id
        return True


class Handler(logging.Handler):
    """Hands finished lines to the host."""

    def emit(self, record):
        try:
            _trine.log(self.format(record), record.levelno)
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)


_applied = None


def apply_level():
    """Called at the import and whenever an instance starts: its settings may not be the former one's."""
    global _applied
    level = _trine.log_level()
    root = logging.getLogger()
    if level is None and root.level == _applied:
        # Ours and no longer wanted; a level that the guest set stays.
        level = logging.WARNING
    if level is not None:
        root.setLevel(level)
        _applied = root.level


def install():
    logging.Formatter.converter = time.gmtime
    handler = Handler()
    handler.setFormatter(Formatter())
    handler.addFilter(Filter())
    logging.getLogger().addHandler(handler)
    apply_level()
