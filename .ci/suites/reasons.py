"""Why tests of Node's suite fail under Trine, as short as a table needs it."""

import re

# Reasons by what the test is called and what it has said: the first that fits counts. What none fits has not been looked into.
RULES = []


def reason_of(test, found):
    if found["status"] == "memory":
        return "uses more memory than the sweep allows"
    said = found.get("output", "")
    for names, words, reason in RULES:
        if re.search(names, test.name) and re.search(words, said):
            return reason
    return {"time": "unexplained: does not end", "skip": "skips itself"}.get(found["status"], "unexplained")
