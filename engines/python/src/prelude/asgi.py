"""What ASGI applications wait for, and their lifespans."""

import asyncio
import sys
from asyncio import base_events, get_running_loop


class ClientDisconnected(OSError):
    """Raised by `send()` when nobody reads the response any more."""

    __module__ = "trine"


async def receive(exchange):
    """The next message, for which the application has to wait."""
    loop = get_running_loop()
    while True:
        # Looked at again after each wait: who was cancelled meanwhile must not have taken it along.
        future = loop.create_future()
        message = exchange.next_message(future)
        if message is not None:
            return message
        try:
            await future
        except BaseException:
            exchange.forget(future)
            raise


async def send(exchange, message):
    """Waits until there is room after a message that was sent."""
    future = get_running_loop().create_future()
    if exchange.has_room(future):
        return
    try:
        reads = await future
    except BaseException:
        exchange.forget(future)
        raise
    if not reads:
        raise ClientDisconnected(message)


def double(application):
    """An application of ASGI 2 as one of ASGI 3."""

    async def app(scope, receive, send):
        await application(scope)(receive, send)

    return app


async def _serve():
    """Stands for the server: libraries look for a task that lives as long as the loop (anyio ends its threads with it)."""
    await get_running_loop().create_future()


# By loop: nobody else holds such a task.
_served = {}


def _keep_served(loop):
    if loop in _served:
        return
    _served[loop] = task = loop.create_task(_serve(), name="trine")
    task.add_done_callback(base_events._run_until_complete_cb)
    task.add_done_callback(lambda _: _served.pop(loop, None))


class LifespanFailed(Exception):
    """What an application says without raising anything."""

    __module__ = "trine"


class Lifespan:
    """The lifespan of an application in one event loop."""

    def __init__(self, application):
        self.state = {}
        self._application = application
        self._task = None

    async def start(self):
        """Waits until the application has started, or has turned out to have no lifespan. Raises its failure."""
        loop = get_running_loop()
        _keep_served(loop)
        self._loop = loop
        self._events = asyncio.Queue()
        self._events.put_nowait({"type": "lifespan.startup"})
        self._received = self._misused = False
        self._failed = self._shut_down = None
        self._started, self._ended = loop.create_future(), loop.create_future()
        self._task = task = loop.create_task(self._run(), name="trine-lifespan")
        try:
            await asyncio.wait((self._started, task), return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            task.cancel()
            raise
        if self._failed is not None:
            # It says so first, and raises the reason then.
            await asyncio.wait((task,), timeout=1)
        elif not task.done():
            # What it does next may fail at once.
            await asyncio.sleep(0)
        if not task.done():
            if self._failed is not None:
                task.cancel()
                raise LifespanFailed(self._failed)
            return
        raised = None if task.cancelled() else task.exception()
        if self._failed is not None:
            raise LifespanFailed(self._failed) if raised is None else raised
        if raised is None:
            return
        if self._started.done() or isinstance(raised, (SystemExit, KeyboardInterrupt)):
            raise raised
        if self._received and not self._misused:
            # By the specification its server goes on.
            sys.stderr.write("the application failed in its lifespan, and goes on without one:\n")
            _print(raised)

    async def stop(self):
        """Lets the application end."""
        task = self._task
        if task is None:
            return
        self._task = None
        if task.done():
            return
        self._events.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait((self._ended, task), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait((task,), timeout=1)
        raised = task.exception() if task.done() and not task.cancelled() else None
        if raised is not None:
            sys.stderr.write("the application failed at the end of its lifespan:\n")
            _print(raised)
        elif self._shut_down is not None:
            sys.stderr.write(f"the application failed at the end of its lifespan: {self._shut_down}\n")

    def stop_at_once(self, seconds):
        """Lets the application end while nobody else runs the loop, for so long."""
        if self._task is not None and not self._task.done():
            self._loop.run_for(self.stop(), seconds)

    async def _run(self):
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._application(scope, self._receive, self._send)

    async def _receive(self):
        self._received = True
        return await self._events.get()

    async def _send(self, message):
        kind = message["type"]
        if kind == "lifespan.startup.complete" and not self._started.done():
            self._started.set_result(None)
        elif kind == "lifespan.startup.failed" and not self._started.done():
            self._failed = message.get("message") or "the application did not start"
            self._started.set_result(None)
        elif kind == "lifespan.shutdown.complete" and self._started.done():
            self._end(None)
        elif kind == "lifespan.shutdown.failed" and self._started.done():
            self._end(message.get("message") or "no reason given")
        else:
            self._misused = True
            raise RuntimeError(f"Unexpected ASGI message '{kind}' in the lifespan.")

    def _end(self, failure):
        if self._ended.done():
            raise RuntimeError("The lifespan has ended already.")
        self._shut_down = failure
        self._ended.set_result(None)


def _print(raised):
    import traceback

    sys.stderr.write("".join(traceback.format_exception(raised)))
