"""Runs commands in boxes: with processes and a loopback network of their own, a limit of time and a bound of memory."""

import dataclasses
import fcntl
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

# How often a box is looked at, and how often its memory, in seconds.
LOOK, WEIGH = 0.05, 0.5
# Bytes of the output that are kept: its beginning and its end.
HEAD, TAIL = 3000, 3000
# The first process of a box ends with the command and is not the command, which therefore takes signals as elsewhere. A
# box ends with the sweep.
INIT = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
INIT += ["sh", "-c", '"$@"; exit $?', "sh"]
ALONE = "TRINE_SUITE_ALONE"


@dataclasses.dataclass
class Outcome:
    """How a command ended: `ending` is "exit", "time" or "memory"."""

    ending: str
    code: int
    seconds: float
    output: str


def leave_the_network():
    """Starts this program again where there is no network but the loopback."""
    if ALONE not in os.environ:
        os.environ[ALONE] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        # The interface's name, and the flags UP and RUNNING, as `ioctl` takes them (SIOCSIFFLAGS).
        fcntl.ioctl(asked, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


def prepare():
    """Gives a command the signals that a shell's command has, wherever the sweep was started, and no dumps."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, folder, environment, seconds, megabytes):
    """Runs a command in a box; when this returns, nothing of it runs any more."""
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        process = subprocess.Popen(
            [*INIT, *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,
        )
        ending = "exit"
        weighed = started
        while process.poll() is None:
            now = time.monotonic()
            if now - started > seconds:
                ending = "time"
            elif now - weighed > WEIGH:
                weighed = now
                if weight(process.pid) > megabytes * 1024 * 1024:
                    ending = "memory"
            if ending != "exit":
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                break
            time.sleep(LOOK)
        return Outcome(ending, process.returncode, round(time.monotonic() - started, 2), kept(output))


def weight(ancestor):
    """The resident memory of all processes below one, in bytes."""
    parents, resident = {}, {}
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        number = int(status.parent.name)
        parents[number], resident[number] = int(fields[1]), int(fields[21])
    family, grown = {ancestor}, True
    while grown:
        grown = {child for child, parent in parents.items() if parent in family} - family
        family |= grown
    return sum(resident.get(number, 0) for number in family) * resource.getpagesize()


def kept(output):
    """The beginning and the end of what was written."""
    length = output.seek(0, os.SEEK_END)
    output.seek(0)
    if length <= HEAD + TAIL:
        return output.read().decode(errors="replace")
    head = output.read(HEAD)
    output.seek(length - TAIL)
    return head.decode(errors="replace") + "\n[…]\n" + output.read().decode(errors="replace")
