"""The second argument of a handler: what AWS's own Python runtime passes, attribute by attribute."""

import time
from _collections_abc import MutableMapping

# What `get_remaining_time_in_millis` says when there is no deadline: Lambda's longest time limit, which is the
# largest value that code written for it can have seen.
NO_DEADLINE = 900_000


def _described(value, names):
    inner = ",".join([f"{name}={getattr(value, name)}" for name in names])
    return f"{type(value).__name__}([{inner}])"


class CognitoIdentity:
    """Who calls, if it is a mobile application: `cognito_identity_id`, `cognito_identity_pool_id`."""

    __module__ = "trine"
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, identity={}):
        self.cognito_identity_id = identity.get("cognitoIdentityId")
        self.cognito_identity_pool_id = identity.get("cognitoIdentityPoolId")

    def __repr__(self):
        return _described(self, self.__slots__)


class Client:
    """The application that calls."""

    __module__ = "trine"
    __slots__ = (
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )

    def __init__(self, client):
        for name in self.__slots__:
            setattr(self, name, client.get(name))

    def __repr__(self):
        return _described(self, self.__slots__)


class ClientContext:
    """What a caller passed beside the event: `custom`, `env`, `client`."""

    __module__ = "trine"
    __slots__ = ("custom", "env", "client")

    def __init__(self, given):
        client = given.get("client")
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = Client(client) if isinstance(client, dict) else None

    def __repr__(self):
        return _described(self, self.__slots__)


class State(MutableMapping):
    """`context.state`: what all functions of one invocation share, whatever their language. Keys are texts."""

    __slots__ = ("_context",)

    def __init__(self, context):
        self._context = context

    def __getitem__(self, key):
        return _trine.read_state(self._context, key)

    def __setitem__(self, key, value):
        _trine.write_state(self._context, key, value)

    def __delitem__(self, key):
        _trine.remove_state(self._context, key)

    def __contains__(self, key):
        return isinstance(key, str) and key in _trine.state_keys(self._context)

    def __iter__(self):
        return iter(_trine.state_keys(self._context))

    def __len__(self):
        return len(_trine.state_keys(self._context))

    def __repr__(self):
        members = []
        for key in self:
            try:
                members.append(f"{key!r}: {self[key]!r}")
            except TypeError as error:
                members.append(f"{key!r}: <{error}>")
        return f"State({{{', '.join(members)}}})"


class LambdaContext:
    """Facts about the invocation and the function. All of them are attributes of the object itself."""

    __module__ = "trine"
    # The invocation's number in this process, by which copies are known; none of the facts.
    __slots__ = ("__dict__", "__weakref__", "_number", "_trace_id")

    def get_remaining_time_in_millis(self):
        """Milliseconds until the deadline, never negative; 900000 when there is no deadline."""
        if self._epoch_deadline_time_in_ms is None:
            return NO_DEADLINE
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, msg):
        """Writes `msg` to the log as it is: no newline, no prefix."""
        _trine.emit(str(msg))

    @property
    def state(self):
        """What all functions of this invocation share: a mutable mapping."""
        return State(self)

    def reply(self, response):
        """Answers the invocation from a `before` hook; the handler and later `before` hooks are not called."""
        _trine.reply(self, response)

    def buffer_response(self):
        """Asks, from a `before` or an `after` hook, for the whole of a response that the handler streams."""
        _trine.buffer_response(self)

    @property
    def trace_id(self):
        """The X-Ray trace header of the invocation; `None` where there is none. Lambda's own context has no such attribute."""
        return getattr(self, "_trace_id", None)

    def w3c(self):
        """The W3C trace context, a dictionary of the caller's own; empty where there is none."""
        return dict(self._w3c_fields)

    def __repr__(self):
        return _described(
            self,
            (
                "aws_request_id",
                "log_group_name",
                "log_stream_name",
                "function_name",
                "memory_limit_in_mb",
                "function_version",
                "invoked_function_arn",
                "client_context",
                "identity",
                "tenant_id",
            ),
        )


class PlainContext(dict):
    """The context of a platform whose handlers get plain data: a dictionary, with what hooks need beside its members."""

    __module__ = "trine"
    __slots__ = ("__weakref__", "_number", "_trace_id")

    state = LambdaContext.state
    reply = LambdaContext.reply
    buffer_response = LambdaContext.buffer_response
    trace_id = LambdaContext.trace_id


class Headers(dict):
    """Headers whose names have a capital at the beginning of each word, found whatever the case of a name."""

    __module__ = "trine"
    __slots__ = ()

    def __missing__(self, name):
        capital = _capital(name)
        if dict.__contains__(self, capital):
            return self[capital]
        raise KeyError(name)

    def __contains__(self, name):
        return dict.__contains__(self, name) or dict.__contains__(self, _capital(name))

    def get(self, name, default=None):
        return self[name] if name in self else default


def _capital(name):
    return "-".join(map(str.capitalize, name.split("-"))) if isinstance(name, str) else name


def facts(log_group_name, log_stream_name, function_name, memory_limit_in_mb, function_version):
    """The attributes of every context of a function, before an invocation fills in its own."""
    return {
        "aws_request_id": None,
        "log_group_name": log_group_name,
        "log_stream_name": log_stream_name,
        "function_name": function_name,
        "memory_limit_in_mb": memory_limit_in_mb,
        "function_version": function_version,
        "invoked_function_arn": None,
        "tenant_id": None,
        "_w3c_fields": {},
        "client_context": None,
        "identity": None,
        "_epoch_deadline_time_in_ms": None,
    }
