"""The user's own `debugpy`, listening in this process. Executed when a module is loaded for the first time in a process that
debuggers may attach to.

It runs without its adapter, a process of its own: the debugger that is part of it speaks the protocol, too. What it does
not tell by its public functions, it tells by methods in whose place others are put here.
"""

import _thread
import os
import sys

# Objects of `debugpy`: its module, that of the debugger inside, and the debugger.
_debugpy = _pydevd = _database = None
_lock = _thread.allocate_lock()
# Whether the first client has been waited for.
_waited = False
# How many clients have been attached so far.
_session = 0
# The last of them that knows of this thread, and by which object.
_known = _thread._local()
# From Python 3.12 on threads have no trace functions of their own.
_by_events = sys.version_info >= (3, 12)


def listen(import_tool, root, layer_root, host, port):
    """Listens, unless that was done before. Address and version where this call did it."""
    global _debugpy, _pydevd
    with _lock:
        if _database is not None:
            return None
        before = set(os.environ)
        # It would tell of modules that are built into the interpreter.
        os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        try:
            _debugpy = import_tool(root, "debugpy", layer_root)
            import_tool(root, "debugpy.server.api", layer_root)
            _pydevd = sys.modules["pydevd"]
            port = _listen(host, port)
        finally:
            for name in set(os.environ) - before:
                del os.environ[name]
        return port, getattr(_debugpy, "__version__", "of an unknown version")


def _listen(host, port):
    global _database
    import atexit
    import socket

    # Ours: an address that cannot be had would be waited for in vain.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, port), family=family)
    port = server.getsockname()[1]
    if hasattr(_pydevd, "create_server_socket"):
        _pydevd.create_server_socket = lambda host, port: server
    else:
        server.close()
    _debugpy.listen((host, port), in_process_debug_adapter=True)
    database = _pydevd.get_global_debugger()
    _follow(database)
    _keep_quiet(sys.modules["_pydev_bundle.pydev_log"])
    _pydevd.PyDevdAPI.request_terminate_process = _terminate
    folder = os.path.dirname(_debugpy.__file__)
    _pydevd.PyDevdAPI().set_dont_trace_start_end_patterns(database, (folder, "<trine>"), ())
    # It goes on listening after the last instance, and nobody waits for it: the end of the process is its end.
    atexit.unregister(_pydevd.stoptrace)
    database.has_user_threads_alive = lambda: True
    database.check_alive_thread.join()
    os.register_at_fork(after_in_child=_become_a_child)
    _database = database
    return port


def _follow(database):
    """Has the host told of clients that come and go."""
    plain = {
        name: getattr(database, name)
        for name in ("on_initialize", "on_configuration_done", "on_disconnect", "initialize_network")
    }

    def on_configuration_done():
        global _session
        _trine.debugger_is_attached(True)
        _session += 1
        plain["on_configuration_done"]()

    def on_disconnect():
        plain["on_disconnect"]()
        _trine.debugger_is_attached(False)

    def on_initialize():
        plain["on_initialize"]()
        _trine.debugger_is_attached(False)

    def initialize_network(*arguments, **named):
        plain["initialize_network"](*arguments, **named)
        _start_daemon(_wait_for_end, database.reader)

    for function in (on_initialize, on_configuration_done, on_disconnect, initialize_network):
        setattr(database, function.__name__, function)


def _terminate(interface, database):
    """The end of the process at a client's request: the host finishes its work and ends. The debugger's own way to it would
    leave the process without a debugger."""
    import _signal

    interface.request_disconnect(database, resume_threads=True)
    os.kill(os.getpid(), _signal.SIGTERM)


def _keep_quiet(log):
    """Has it not complain of a thread that was stopped from outside while it stood."""
    plain = log.exception

    def exception(*arguments, **named):
        if not isinstance(sys.exc_info()[1], (_trine.DeadlineExceeded, _trine.Interrupted)):
            plain(*arguments, **named)

    log.exception = exception


def _start_daemon(target, *arguments):
    """Starts a thread that the debugger takes for its own."""
    import threading

    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.pydev_do_not_trace = thread.is_pydev_daemon_thread = True
    thread.start()


def _wait_for_end(reader):
    """Lets the program go on when a client is gone that has not said so."""
    reader.join()
    if _database.reader is reader:
        _pydevd.PyDevdAPI().request_disconnect(_database, resume_threads=True)


def use_packages(folders):
    """Takes what lies in these folders for other people's code, into which nobody steps who has asked for their own."""
    filtering = getattr(_database, "_files_filtering", None)
    known = getattr(filtering, "_library_roots", None)
    if known is not None:
        new = [folder for folder in folders if os.path.join(folder, "") not in known]
        if new:
            filtering.set_library_roots([*known, *new])


def wait():
    """Waits for the first client, and has it stop where the user's code begins."""
    global _waited
    if _waited:
        return
    _debugpy.wait_for_client()
    with _lock:
        first, _waited = not _waited, True
    if first:
        enter()
        _stop_at_entry()


def _stop_at_entry():
    import threading

    from _pydevd_bundle import pydevd_comm_constants as commands

    info = _database.set_additional_thread_info(threading.current_thread())
    info.pydev_original_step_cmd = commands.CMD_STOP_ON_START
    info.pydev_step_cmd = commands.CMD_STEP_INTO_MY_CODE
    info.update_stepping_info()
    if _by_events:
        from _pydevd_sys_monitoring import pydevd_sys_monitoring

        pydevd_sys_monitoring.update_monitor_events(suspend_requested=True)
        pydevd_sys_monitoring.restart_events()


def recover():
    """Called where a guest's code was stopped from outside, which the debugger has not noticed if it stood at a breakpoint."""
    import threading

    from _pydevd_bundle.pydevd_constants import STATE_RUN

    info = _database.set_additional_thread_info(threading.current_thread())
    info.pydev_state = STATE_RUN
    info.pydev_step_stop = None
    info.pydev_step_cmd = info.pydev_original_step_cmd = -1
    info.update_stepping_info()


def raised(*error):
    """Called with an exception that nobody has caught: a client that wants to know of those stops where it was raised. To the
    debugger it is caught, by the host."""
    # Older versions lack it.
    stop = getattr(_debugpy, "trigger_exception_handler", None)
    if stop is not None:
        stop(error)


def enter():
    """Called where a guest's code begins: the debugger knows threads of the host's only by what is done here. A thread that was
    stopped from outside while it stood is not traced any more."""
    if not _database.is_attached():
        return
    before = getattr(_known, "state", None)
    known = (_session, sys.modules["threading"].current_thread())
    if before == known and (_by_events or sys.gettrace()):
        return
    _known.state = known
    if _by_events and before is not None and before[1] is not known[1]:
        from _pydevd_sys_monitoring import pydevd_sys_monitoring

        # It takes the thread for one that has ended, as Python's main one has with the last instance.
        pydevd_sys_monitoring.reset_thread_local_info()
    _debugpy.debug_this_thread()


def _become_a_child():
    """Runs in a child that a guest forked: it has no thread that would talk to a client."""
    if _by_events:
        from _pydevd_sys_monitoring import pydevd_sys_monitoring

        pydevd_sys_monitoring.stop_monitoring(all_threads=True)
    else:
        import threading

        # Not by `sys.settrace`, in whose place it has put a warning.
        sys.modules["pydevd_tracing"].SetTrace(None)
        threading.settrace(None)
    _trine.leave_debugger()
