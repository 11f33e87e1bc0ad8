"""Profiles by `cProfile`, in the form that `pstats` reads."""

import sys
import _thread

# Those that are being taken, by their threads.
_taken = {}
# From Python 3.12 on there is one for all threads of the process.
_for_all = sys.version_info >= (3, 12)


class _Profile:
    """A profile of the calling thread, and of the threads that begin while it is taken."""

    def __init__(self):
        from cProfile import Profile

        self._thread = _thread.get_ident()
        self._of_threads = []
        self._profile = Profile()
        self._profile.enable()

    def begin_thread(self, *event):
        """Called on a thread that begins."""
        from cProfile import Profile

        profile = Profile()
        self._of_threads.append(profile)
        profile.enable()

    def finish(self):
        """What belongs into the file."""
        import marshal

        self._profile.disable()
        _taken.pop(self._thread, None)
        if not _for_all and not _taken:
            import threading

            threading.setprofile(None)
        merged = {}
        for profile in [self._profile, *self._of_threads]:
            # What a thread has not returned from yet is not in it.
            profile.snapshot_stats()
            _add(merged, profile.stats)
        return marshal.dumps(_of_guests(merged))


def begin():
    thread = _thread.get_ident()
    if thread in _taken or (_for_all and _taken):
        raise RuntimeError("a profile is being taken already")
    profile = _taken[thread] = _Profile()
    if not _for_all and len(_taken) == 1:
        import threading

        threading.setprofile(profile.begin_thread)
    return profile


def _add(merged, stats):
    from pstats import add_func_stats

    for function, of_function in stats.items():
        known = merged.get(function, (0, 0, 0, 0, {}))
        merged[function] = add_func_stats(known, of_function)


def _of_guests(stats):
    """Without what is the host's own. The time of what it calls stays."""
    return {
        function: (*numbers, {caller: of for caller, of in callers.items() if not _is_ours(caller)})
        for function, (*numbers, callers) in stats.items()
        if not _is_ours(function)
    }


def _is_ours(function):
    file, _, name = function
    return file.startswith("<trine>/") or name.startswith("<built-in method _trine.")
