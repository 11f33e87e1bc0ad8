"""Finds functions in files."""

import importlib
import os
import sys


def load(path, name):
    """The function `name` of the module at `path`, which may go without its `.py`."""
    folder, file = os.path.split(path)
    if folder not in sys.path:
        sys.path.append(folder)
    return getattr(importlib.import_module(file.removesuffix(".py")), name)
