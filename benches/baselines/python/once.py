"""One invocation: the event comes on stdin, the answer goes to stdout.

Arguments: the handler's file, the name of its function, the files of its hooks.
"""

import json
import sys

from functions import load

file, name, *hooks = sys.argv[1:]
handler = load(file, name)

event = json.load(sys.stdin)
for hook in hooks:
    event = load(hook, "before")(event, None)
sys.stdout.write(json.dumps(handler(event, None), separators=(",", ":")))
