"""The kernel's page cache: what of files that nobody else uses is in it, after reads that brought nothing but what was asked
for."""

import contextlib
import ctypes
import fcntl
import mmap
import os
import shutil
import tempfile
from pathlib import Path

BLOCK, PAGE = 512 * 1024, mmap.PAGESIZE
# Exit code of programs that cannot measure anything here.
REFUSED = 77
DROP_CACHES, DEVICES = Path("/proc/sys/vm/drop_caches"), Path("/sys/class/bdi")
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_void_p]
# Of <sched.h> and <sys/mount.h>.
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


class Refused(Exception):
    """The reason why nothing can be measured here."""


def blocks_of(files):
    """Counts the blocks with cached pages in an image in which files follow each other, each on pages of its own.

    Files are (name, size, numbers of the cached pages). Returns the number of distinct blocks, and of each file that has
    cached pages (name, blocks, pages). Files share the block in which one ends and the other begins:

    >>> blocks_of([("a", 1, [0]), ("b", 2 * BLOCK, [0, 1, 254, 255]), ("c", 0, []), ("d", 5, [0])])
    (3, [('a', 1, 1), ('b', 3, 4), ('d', 1, 1)])
    >>> blocks_of([("a", BLOCK, []), ("b", 1, [0]), ("c", PAGE + 1, [0, 1])])
    (1, [('b', 1, 1), ('c', 1, 2)])
    >>> blocks_of([])
    (0, [])
    """
    blocks, touched, offset = set(), [], 0
    for name, size, pages in files:
        own = {(offset + page * PAGE) // BLOCK for page in pages}
        if own:
            touched.append((name, len(own), len(pages)))
            blocks |= own
        offset += -(-size // PAGE) * PAGE
    return len(blocks), touched


def cached_pages(path):
    """Returns the numbers of a file's pages that are in the page cache."""
    size = os.stat(path).st_size
    if size == 0:
        return []
    pages = (ctypes.c_ubyte * -(-size // PAGE))()
    with open(path, "rb") as file:
        address = LIBC.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        failed = LIBC.mincore(address, size, pages)
        LIBC.munmap(address, size)
    if failed:
        raise OSError(ctypes.get_errno(), "mincore")
    return [number for number, page in enumerate(pages) if page & 1]


def drop():
    """Empties the page cache, but for what processes have mapped."""
    os.sync()
    write(DROP_CACHES, "3")


def write(path, text):
    try:
        path.write_text(text)
    except OSError as error:
        raise Refused(f"needs root: cannot write {path} ({error.strerror})") from error


def stand_in(mounts):
    """Gives this process mounts of its own, in which one place stands for another: pairs (what, where)."""
    if LIBC.unshare(CLONE_NEWNS) or LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None):
        raise Refused(f"needs root: cannot have mounts of its own ({os.strerror(ctypes.get_errno())})")
    for what, where in mounts:
        if LIBC.mount(os.fsencode(what), os.fsencode(where), None, MS_BIND, None):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(where))


@contextlib.contextmanager
def without_readahead(above):
    """Has all devices read nothing but what is asked for; a context with a folder, made in `above`, that shows it.

    Where devices are stacked it is not to be seen whose setting counts, so all are set, and what comes of it is tried.
    A process of its own puts all right and removes the folder when this process has ended, in whatever way.
    """
    drop()
    # Of two at once, the second would take the first one's settings for those that were there.
    lock = os.open(DEVICES, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    settings = {path: path.read_text() for path in sorted(DEVICES.glob("*/read_ahead_kb"))}
    folder = tempfile.mkdtemp(prefix="blocks-", dir=above)
    ended, alive = os.pipe()
    guard = os.fork()
    if guard == 0:
        os.close(alive)
        os.read(ended, 1)
        for path, setting in settings.items():
            with contextlib.suppress(OSError):
                path.write_text(setting)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    # What ends this process's group leaves it alone.
    os.setpgid(guard, guard)
    os.close(ended)
    try:
        for path in settings:
            write(path, "0")
        stand_in([])
        try_out(Path(folder) / "tried")
        yield Path(folder)
    finally:
        os.close(alive)
        os.waitpid(guard, 0)
        os.close(lock)


def try_out(path):
    """Checks that the cache can be emptied of a file, and that reading a page of it brings that page alone."""
    size, read, mapped = 1024 * PAGE, 256, 768
    path.write_bytes(os.urandom(size))
    drop()
    if cached_pages(path):
        raise Refused(f"the page cache keeps the files of {path.parent.parent}")
    with open(path, "rb", buffering=0) as file:
        os.pread(file.fileno(), 1, read * PAGE)
        with mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as memory:
            # Looked at for the page fault.
            _ = memory[mapped * PAGE]
    if cached_pages(path) != [read, mapped]:
        raise Refused(f"readahead cannot be turned off for the files of {path.parent.parent}")
