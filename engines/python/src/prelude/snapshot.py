"""What guests want done around a snapshot of the process, of which copies go on, and what no copy may share.

Guests register it with AWS's package `snapshot_restore_py`, or with the module of that name here where nobody has
installed it.
"""

import os
import sys

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    """Has `func` called with these arguments before a snapshot is taken; the latest registration comes first."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Has `func` called with these arguments after a restore, in the order of registration."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before_snapshot


def get_after_restore():
    return _after_restore


def define(module):
    """Makes the module that stands in for the package."""
    for function in (
        register_before_snapshot,
        register_after_restore,
        get_before_snapshot,
        get_after_restore,
    ):
        function.__module__ = module.__name__
        setattr(module, function.__name__, function)
    module.__all__ = ["register_before_snapshot", "register_after_restore"]


def due(restored):
    """The calls that are due, each as function, arguments and named arguments, in their order."""
    module = sys.modules.get("snapshot_restore_py")
    if module is None:
        return []
    if restored:
        return list(module.get_after_restore())
    registry = module.get_before_snapshot()
    calls = registry[::-1]
    # What has run is forgotten, as in AWS's runtime.
    registry.clear()
    return calls


def reseed():
    """Has the generators in use draw from the system's again, as when they were made."""
    used = sys.modules.get
    if (random := used("random")) is not None:
        random.seed()
    if (ssl := used("_ssl")) is not None:
        ssl.RAND_add(os.urandom(64), 64.0)
    if (uuid := used("uuid")) is not None:
        # The clock of the last one, and where the machine has no address, a random one.
        uuid._last_timestamp = None
        uuid._node = None
    if (tempfile := used("tempfile")) is not None:
        tempfile._name_sequence = None
    if (numpy := used("numpy.random")) is not None:
        numpy.seed()
