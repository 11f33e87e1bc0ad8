"""What the Python applications in this folder have in common: notes of what happened, and bytes as JSON."""

import contextlib
import hashlib
import json


class Notes:
    """What was noted under a name, in order, until somebody asks for it."""

    def __init__(self):
        self.noted = {}

    def add(self, name, note):
        self.noted.setdefault(name, []).append(note)

    def of(self, name):
        return self.noted.get(name, [])

    @contextlib.contextmanager
    def failing(self, name, raise_again=False):
        """Notes the class of what is raised."""
        try:
            yield
            self.add(name, "nothing raised")
        except Exception as error:
            self.add(name, type(error).__name__)
            if raise_again:
                raise
        finally:
            self.add(name, "end")


def shown(data):
    """A body as text, or how long it is and its digest where it is long."""
    if len(data) > 1000:
        return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return data.decode("latin-1")


def json_of(value):
    return json.dumps(value, default=lambda other: type(other).__name__).encode()
