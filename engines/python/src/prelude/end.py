"""The end of the program in Python's own order: threads are waited for, then the functions run that `atexit` holds."""

import sys


def wait_for_threads():
    """What the interpreter does first. Libraries end their pools in it, and without it they wait for one another."""
    threading = sys.modules.get("threading")
    if threading is None or threading.current_thread() is not threading.main_thread():
        # Elsewhere than on Python's main thread it would wait for that one.
        return
    try:
        threading._shutdown()
    except (_trine.DeadlineExceeded, _trine.Interrupted):
        names = [thread.name for thread in threading.enumerate() if _is_waited_for(threading, thread)]
        if names:
            message = "time is up, and these threads still run: " + ", ".join(names)
            print(message, file=sys.stderr)


def _is_waited_for(threading, thread):
    return not thread.daemon and thread is not threading.main_thread() and thread.is_alive()


def run_exit_functions():
    import atexit

    atexit._run_exitfuncs()


def end_children():
    """Ends processes of `multiprocessing` for which there was no time: nobody is left for whom they could work."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        for child in process.active_children():
            child.terminate()


def begin_anew():
    """Another instance starts after the last one's end: what the end told for good is taken back."""
    threading = sys.modules.get("threading")
    if threading is not None and threading._SHUTTING_DOWN:
        threading._SHUTTING_DOWN = False
        if not threading._main_thread.is_alive():
            threading._main_thread = threading._MainThread()
    for module, flag in (("thread", "_shutdown"), ("process", "_global_shutdown")):
        module = sys.modules.get("concurrent.futures." + module)
        if module is not None:
            setattr(module, flag, False)
