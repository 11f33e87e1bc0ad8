"""`sys.stdout` and `sys.stderr`: text streams whose lines go to the host's log."""

import io
import sys


class _Bytes(io.BufferedIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, fd):
        self._fd = fd
        self.write = _trine.bytes_writer(fd)

    def writable(self):
        return True

    def flush(self):
        _trine.flush(self._fd)

    def fileno(self):
        return self._fd

    def close(self):
        self.flush()


class Stream(io.TextIOBase):
    """A line reaches the log when it is complete, at `flush()`, or at the end of the invocation."""

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    line_buffering = True
    write_through = True
    mode = "w"

    def __init__(self, fd, name):
        self._fd = fd
        self.name = name
        self.buffer = _Bytes(fd)
        # An attribute, not a method: `print` calls it twice, and a built-in needs no frame.
        self.write = _trine.writer(fd)

    def writable(self):
        return True

    def flush(self):
        _trine.flush(self._fd)

    def fileno(self):
        return self._fd

    def close(self):
        # Closing the process's output would silence everybody else.
        self.flush()

    def reconfigure(self, **_options):
        """Accepted and ignored: encoding and buffering are the host's."""
        self.flush()


def install():
    sys.stdout = sys.__stdout__ = Stream(1, "<stdout>")
    sys.stderr = sys.__stderr__ = Stream(2, "<stderr>")
