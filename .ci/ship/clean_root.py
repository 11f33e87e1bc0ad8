"""A minimal Debian of its own for each test, in which commands run without network and see nothing of the machine."""

import os
import shutil
import subprocess
import sys
import tempfile

import shipping

USER = 1000
# Runs in namespaces of its own: mounts what programs expect, goes inside, and becomes the command.
ENTER = r"""
import fcntl, os, socket, struct, subprocess, sys
root, user, folder, tmpfs, *command = sys.argv[1:]
def mount(*arguments): subprocess.run(["mount", *arguments], check=True)
mount("--make-rprivate", "/")
mount("-t", "proc", "proc", root + "/proc")
for name in ("null", "zero", "full", "random", "urandom", "tty"):
    if not os.path.exists(f"{root}/dev/{name}"):
        open(f"{root}/dev/{name}", "a").close()
        mount("--bind", "/dev/" + name, f"{root}/dev/{name}")
for entry in filter(None, tmpfs.split(",")):
    place, options = entry.split("=", 1)
    os.makedirs(root + place, exist_ok=True)
    mount("-t", "tmpfs", "-o", options.replace("+", ","), "tmpfs", root + place)
with socket.socket() as any_socket:
    # The loopback interface, which is the only one here, is turned on.
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))
os.chroot(root)
os.setgroups([]); os.setgid(int(user)); os.setuid(int(user))
os.chdir(folder)
os.execvpe(command[0], command, dict(os.environ))
"""


class CleanRoot:
    """A folder with Debian in it; a context manager that removes it in the end."""

    def __init__(self, *packages):
        self.folder = tempfile.mkdtemp(prefix="trine-root-")
        os.chmod(self.folder, 0o755)
        try:
            script = os.path.join(shipping.ROOT, ".ci/ship/root")
            subprocess.run([script, self.folder, *packages], check=True, env={**os.environ, "CARGO_TARGET_DIR": shipping.TARGET})
            with open(self.path("/etc/passwd"), "a", encoding="utf-8") as file:
                file.write(f"user:x:{USER}:{USER}::/home/user:/bin/sh\n")
            for place in ("/home/user", "/functions", "/packages"):
                os.makedirs(self.path(place))
            os.chown(self.path("/home/user"), USER, USER)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, inside):
        return self.folder + inside

    def write(self, inside, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(inside), mode)

    def copy(self, path, inside):
        os.makedirs(self.path(inside), exist_ok=True)
        shutil.copy(path, self.path(inside))
        return os.path.join(inside, os.path.basename(path))

    def run(self, script, user=0, folder="/", path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", tmpfs="", **variables):
        """Runs a script of `sh`; returns its status and what it printed. `tmpfs` is `PLACE=OPTION+OPTION,…`."""
        home = "/home/user" if user else "/root"
        environment = {"PATH": path, "HOME": home, "LC_ALL": "C.UTF-8", **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", sys.executable, "-I", "-c", ENTER,
                   self.folder, str(user), folder, tmpfs, "/bin/sh", "-c", script]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=600)
        return done.returncode, done.stdout

    def files(self):
        """Lists everything that is there, but for the package manager's books and what lies about."""
        found = set()
        for above, folders, names in os.walk(self.folder):
            inside = os.path.relpath(above, self.folder)
            if inside in ("tmp", "proc", "dev", "packages", "functions", "var/log", "var/cache", "var/lib/dpkg"):
                folders.clear()
                continue
            found.update(os.path.join("/", inside, name) for name in folders + names)
        return {os.path.normpath(path) for path in found if "/__pycache__" not in path}
