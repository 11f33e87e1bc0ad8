"""What WSGI applications find in their environment. Contract: PEP 3333."""

import io
import sys


class _Arriving(io.RawIOBase):
    """The body of a request that comes in while the application runs."""

    def __init__(self, source):
        self._source = source

    def readable(self):
        return True

    def readinto(self, room):
        chunk = self._source.read(len(room))
        size = len(chunk)
        room[:size] = chunk
        return size


def arriving(source):
    """A body that is read as it arrives."""
    return io.BufferedReader(_Arriving(source), 65536)


def spooled():
    """A file for a body that has to be there before the application begins."""
    import tempfile

    return tempfile.SpooledTemporaryFile(max_size=1 << 20)


class FileWrapper:
    """`wsgi.file_wrapper`: a file as the body of a response."""

    def __init__(self, filelike, block_size=8192):
        self.filelike = filelike
        self.block_size = max(block_size, 65536)
        close = getattr(filelike, "close", None)
        if close is not None:
            self.close = close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.block_size)
        if block:
            return block
        raise StopIteration


def environ():
    """What is the same for all requests."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "REQUEST_URI": "/",
        "RAW_URI": "/",
        "SERVER_NAME": "",
        "SERVER_PORT": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "trine",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": None,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }
