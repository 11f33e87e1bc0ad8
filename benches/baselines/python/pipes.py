"""A language runtime behind two named pipes: an event per line comes in by one, its answer goes out by the other.

Arguments: the handler's file, the name of its function, the pipe of events, the pipe of answers.
"""

import json
import sys

from functions import load

file, name, events_path, answers_path = sys.argv[1:]
handler = load(file, name)

# Opening waits for the core: once both are open, the runtime is ready.
PIPE_SIZE = 65536
with open(events_path, "rb", buffering=PIPE_SIZE) as events, open(answers_path, "wb", buffering=0) as answers:
    for line in events:
        answer = json.dumps(handler(json.loads(line), None), separators=(",", ":"))
        left = memoryview(f"{answer}\n".encode())
        while left:
            left = left[answers.write(left) :]
