"""Counts what holds and what does not, for the tests of what ships."""

import socket
import sys

passed, failed = 0, 0


def check(what, holds, found=""):
    """Counts a statement, and prints it with what was found where it does not hold."""
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}: {str(found).strip()[-1500:]}", flush=True)


def expect(what, answer, status=0, *texts):
    """Checks a command's status, and that its output has these texts."""
    check(what, answer[0] == status and all(text in answer[1] for text in texts), answer)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def finish():
    """Prints the sum, and ends the process accordingly."""
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)
