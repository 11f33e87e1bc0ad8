import sys


def handler(event, context):
    sys.stdout.write("to stdout\n")
    sys.stderr.write("to stderr\n")
    sys.stdout.buffer.write(b"in ")
    sys.stdout.buffer.write(b"pieces\n")
