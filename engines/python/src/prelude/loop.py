"""An asyncio event loop that the host drives: it runs what is ready and never waits."""

import asyncio
import signal
import sys
import threading
from asyncio import Task, TaskGroup, events, tasks
from asyncio.events import _set_running_loop
from types import CoroutineType

# Rounds before the host gets its thread back, although there is still work.
_ROUNDS = 64

# Flags of the code of coroutines, plain and asynchronous generators.
_COROUTINE = 0x0080 | 0x0100 | 0x0200

# The file that runs asynchronous generators.
_STREAM = "<trine>/stream.py"


def _task_of(error):
    """The task whose code has raised this exception; None where it was a plain callback."""
    trace = error.__traceback__
    while trace is not None:
        frame, inner = trace.tb_frame, trace.tb_next
        if frame.f_code is events.Handle._run.__code__:
            if inner is None or inner.tb_frame.f_code.co_flags & _COROUTINE == 0:
                return None
            return getattr(frame.f_locals["self"]._callback, "__self__", None)
        trace = inner
    return None


def _awaited(task, waiter):
    """The tasks that a cancellation of `task` would cancel."""
    if isinstance(waiter, Task):
        return [waiter]
    gathered = getattr(waiter, "_children", None)
    if gathered is not None:
        return [child for child in gathered if isinstance(child, Task)]
    coroutine = task.get_coro()
    while isinstance(getattr(coroutine, "cr_await", None), CoroutineType):
        coroutine = coroutine.cr_await
    frame = getattr(coroutine, "cr_frame", None)
    if frame is not None and frame.f_code.co_filename == _STREAM:
        # What it awaits is a step of a generator, which does not say whose.
        coroutine = getattr(frame.f_locals["generator"], "ag_await", None)
        while isinstance(getattr(coroutine, "cr_await", None), CoroutineType):
            coroutine = coroutine.cr_await
        frame = getattr(coroutine, "cr_frame", None)
    if frame is None:
        return []
    if frame.f_code is tasks.wait_for.__code__:
        # Up to Python 3.11 this has a task of its own.
        inner = frame.f_locals.get("fut")
        return [inner] if isinstance(inner, Task) else []
    if frame.f_code is TaskGroup.__aexit__.__code__:
        # Its tasks are cancelled, so that the warning arrives by itself and not in a group of exceptions.
        for child in list(frame.f_locals["self"]._tasks):
            child.cancel()
    return []


class _StepWithWarning:
    """A task's next step, with the warning raised in it."""

    def __init__(self, task, step):
        self.__self__ = task
        self._step = step

    def __call__(self):
        return _trine.call_with_warning(self._step)


def _set_wakeup_fd(new, old):
    """On the main thread: says where signals are told, unless somebody else has."""
    try:
        before = signal.set_wakeup_fd(new, warn_on_full_buffer=False)
    except ValueError:
        return
    if before not in (old, new):
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)


class Loop(asyncio.SelectorEventLoop):
    """Made, used and ended on one thread."""

    def __init__(self):
        super().__init__()
        self._saw_events = False
        self._ident = threading.get_ident()
        # For good: the thread has one loop, and loops of the guest's own put theirs in place and take them back.
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        self._hear_signals()

    def fileno(self):
        """Readable as soon as anything that the loop waits for is."""
        return self._selector.fileno()

    def _hear_signals(self):
        """A signal ends the wait of the host for this loop, so that its handler runs."""
        _set_wakeup_fd(self._csock.fileno(), -1)

    def remove_signal_handler(self, sig):
        removed = super().remove_signal_handler(sig)
        # A loop that is closed takes its handlers away last.
        if self._csock is not None:
            self._hear_signals()
        return removed

    def close(self):
        """Does nothing: guests have this loop from `asyncio.get_event_loop()`, and others need it after them."""

    def _process_events(self, event_list):
        if event_list:
            self._saw_events = True
            super()._process_events(event_list)

    def begin(self, awaitable, context):
        """Wraps what a handler returned into a task and runs it, in a context, until it waits for the first time."""
        if type(awaitable) is CoroutineType:
            task = Task(awaitable, loop=self, context=context)
        else:
            task = asyncio.ensure_future(awaitable, loop=self)
        self._thread_id = self._ident
        _set_running_loop(self)
        try:
            # Most handlers finish here: no look at the selector, no timers.
            ready = self._ready
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
            if not task.done():
                self._rounds()
        except (SystemExit, KeyboardInterrupt) as error:
            if not self._is_kept(error, task):
                task.cancel()
                raise
        finally:
            self._leave()
        return task

    def pump(self):
        """Runs what is ready. Seconds until the next timer, 0 when there is more to do now, None for neither."""
        self._thread_id = self._ident
        _set_running_loop(self)
        try:
            return self._rounds()
        finally:
            self._leave()

    def run_for(self, coroutine, seconds):
        """Runs a coroutine while nobody else runs the loop, for at most so long."""
        from select import select

        task = Task(coroutine, loop=self)
        end = self.time() + seconds
        while True:
            wait = self.pump()
            rest = end - self.time()
            if task.done():
                return
            if rest <= 0:
                task.cancel()
                self.pump()
                return
            if wait != 0:
                select([self.fileno()], [], [], rest if wait is None else min(rest, wait))

    def _is_kept(self, error, call=None):
        """Whether somebody will get this exception from the task that raised it: the call whose task it is, or whoever
        awaits it. Anybody else's would be lost, and ends the program."""
        task = _task_of(error)
        if task is None:
            return False
        return task is call or any(handle._args and handle._args[0] is task for handle in self._ready)

    def _leave(self):
        _set_running_loop(None)
        self._thread_id = None
        self._stopping = False

    def _rounds(self):
        for _ in range(_ROUNDS):
            self._saw_events = False
            # `_run_once` waits only if nothing is ready and it is not about to stop.
            self._stopping = True
            try:
                self._run_once()
            except (SystemExit, KeyboardInterrupt) as error:
                if not self._is_kept(error):
                    raise
                continue
            if not self._ready and not self._saw_events:
                break
        else:
            return 0.0
        scheduled = self._scheduled
        if not scheduled:
            return None
        return max(0.0, scheduled[0]._when - self.time())

    def current_task(self):
        """The task that runs; also asked from other threads."""
        return tasks.current_task(self)

    def warn(self, task):
        """Raises `trine.DeadlineExceeded` where a task waits. Whether it could."""
        waiter = task._fut_waiter
        if waiter is None or waiter.done():
            return self._warn_when_it_runs(task)
        inner = [child for child in _awaited(task, waiter) if not child.done()]
        if inner:
            # As a cancellation would: what is awaited gets it first and hands it on.
            return any([self.warn(child) for child in inner])
        for callback, context in list(waiter._callbacks or ()):
            if getattr(callback, "__self__", None) is task:
                waiter.remove_done_callback(callback)
                self.call_soon(callback, self._failed(), context=context)
                return True
        return False

    def _warn_when_it_runs(self, task):
        for handle in self._ready:
            callback = handle._callback
            if getattr(callback, "__self__", None) is task:
                if handle._args:
                    # What it waited for is there; the warning comes in its place.
                    handle._args = (self._failed(),)
                else:
                    handle._callback = _StepWithWarning(task, callback)
                return True
        return False

    def _failed(self):
        future = self.create_future()
        future.set_exception(_trine.DeadlineExceeded())
        return future

    def end(self):
        """Cancels what is left and closes the loop."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.pump()
        _set_wakeup_fd(-1, self._csock.fileno())
        super().close()
