"""What child processes get of a function. Executed when a guest imports `_posixsubprocess`, by way of `subprocess`.

Python that is started as `sys.executable` finds what the function does: libraries start their own workers so
(`multiprocessing`, `joblib`), before they can tell them anything. Beside other functions, a child gets the environment
that its function sees.
"""

import os
import sys

# Where the folder and the environment stand among the arguments.
_FOLDER, _PLACE = 4, 5


# Gives the environment of a child without one of its own, where that is not the system's.
_environ = None


def keep_apart(environ):
    """Called where there are several functions."""
    global _environ
    _environ = environ


def _is_python(candidates):
    try:
        return os.fsencode(candidates[0]) == os.fsencode(sys.executable)
    except (IndexError, TypeError):
        return False


def _with_folders(variables, own, layers):
    """These variables, with a function's folders where Python looks for modules."""
    own, layers = map(os.fsencode, own), map(os.fsencode, layers)
    before = variables.get(b"PYTHONPATH", b"").split(b":")
    folders = filter(None, dict.fromkeys([*own, *before, *layers]))
    return {**variables, b"PYTHONPATH": b":".join(folders)}


def _changed(arguments):
    """The environment that a child is to get, if it is another one than it would get."""
    given = arguments[_PLACE]
    variables = _environ() if given is None and _environ is not None else None
    if _is_python(arguments[1]):
        own, layers = _trine.folders_of(sys._getframe(2)) or ((), ())
        # Python looks there anyway, and not before it has started: a module may have the name of one that it starts with.
        here = os.fsdecode(arguments[_FOLDER] or os.getcwd())
        own = [folder for folder in own if folder != here]
        if own or layers:
            if given is not None:
                variables = dict(os.fsencode(variable).split(b"=", 1) for variable in given)
            elif variables is None:
                variables = _trine.system_variables()
            variables = _with_folders(variables, own, layers)
    if variables is None:
        return None
    return [name + b"=" + value for name, value in variables.items()]


def install():
    import _posixsubprocess

    plain = _posixsubprocess.fork_exec

    def fork_exec(*arguments):
        if len(arguments) > _PLACE:
            environ = _changed(arguments)
            if environ is not None:
                arguments = (*arguments[:_PLACE], environ, *arguments[_PLACE + 1 :])
        return plain(*arguments)

    _posixsubprocess.fork_exec = fork_exec
    subprocess = sys.modules.get("subprocess")
    if subprocess is not None:
        for name, value in list(vars(subprocess).items()):
            if value is plain:
                setattr(subprocess, name, fork_exec)
