LINES = [
    "context: no",
    "text: ext: yes",
    "    at fake (ext:foo/bar.js:1:1)",
    "    at node:internal/x:1:1",
    '  File "x.py", line 1, in f',
    "x.lua:1: in function 'f'",
]
def fail():
    raise ValueError("\n".join(LINES))


def handler(event, context):
    fail()
