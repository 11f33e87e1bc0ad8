# Misbehaves as the event says.
import asyncio
import json
import os
import re
import sys
import threading
import time

import trine

kept = 0


def fine(event, context):
    global kept
    kept += 1
    return kept


def spin(event, context):
    while True:
        pass


async def wait(event, context):
    await asyncio.sleep(600)


def sleep(event, context):
    time.sleep(600)


def regex(event, context):
    return re.match(r"^(a+)+$", "a" * 60 + "b") is None


def stubborn(event, context):
    while True:
        try:
            while True:
                pass
        except trine.DeadlineExceeded:
            pass


def caught(event, context):
    try:
        while True:
            pass
    except trine.DeadlineExceeded:
        return "in time"


async def caught_waiting(event, context):
    try:
        await asyncio.sleep(600)
    except trine.DeadlineExceeded:
        return "in time"


def blocked(event, context):
    # Holds the interpreter's lock, looks at no signal, and takes hours.
    return sum(range(10**14))


def fill(event, context):
    return bytearray(1 << 60)


def grow(event, context):
    kept = []
    while True:
        kept.append(b"x" * (1 << 20) + bytes(len(kept)))
        time.sleep(0.001)


def exit(event, context):
    sys.exit(7)


def exit_now(event, context):
    os._exit(7)


def abort(event, context):
    os.abort()


def kill(event, context):
    os.kill(os.getpid(), 9)


def thread(event, context):
    def fail():
        raise KeyError("in a thread")

    started = threading.Thread(target=fail)
    started.start()
    started.join()
    return "went on"


def overflow(event, context):
    return overflow(event, context)


def nested(event, context):
    value = []
    for _ in range(200_000):
        value = [value]
    return value


def handler(event, context):
    # Over HTTP the event is a request, and what is asked for its body.
    asked = json.loads(event["body"]) if "body" in event else event
    return globals()[asked["do"]](asked, context)
