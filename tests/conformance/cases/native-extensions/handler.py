# A compiled module of the standard library that is a file of its own, and a C library through it.
import _ctypes
import ctypes

assert _ctypes.__file__.endswith(".so"), _ctypes.__file__
strtol = ctypes.CDLL(None).strtol
strtol.restype = ctypes.c_long


def handler(event, context):
    return strtol(str(event).encode(), None, 10) + 22
