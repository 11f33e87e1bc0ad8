"""What a sweep has found so far, kept so that it can be gone on with: a line of JSON for each test."""

import hashlib
import json
import threading


class Ledger:
    """Outcomes by test, of one program under one suite; those of another program are set aside."""

    def __init__(self, path, program):
        self.path, self.found, self.lock = path, {}, threading.Lock()
        lines = path.read_text().splitlines() if path.exists() else []
        if lines and json.loads(lines[0]) != program:
            path.replace(path.with_suffix(".before"))
            lines = []
        if not lines:
            path.write_text(json.dumps(program) + "\n")
        for line in lines[1:]:
            outcome = json.loads(line)
            self.found[outcome["test"]] = outcome

    def add(self, outcome):
        with self.lock:
            self.found[outcome["test"]] = outcome
            with self.path.open("a") as file:
                file.write(json.dumps(outcome) + "\n")


def digest(program):
    """What tells a program from others."""
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
