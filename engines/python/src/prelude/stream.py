"""Runs asynchronous generators whose values are the chunks of a response."""

import asyncio
from asyncio import CancelledError


async def drive(generator, writer):
    """Sends what a generator yields, each when there is room for the next. All of it is one task."""
    try:
        await _send_all(generator, writer)
    finally:
        await generator.aclose()


async def _send_all(generator, writer):
    loop = asyncio.get_running_loop()
    step = generator.__anext__()
    while True:
        try:
            value = await step
        except StopAsyncIteration:
            return
        except CancelledError:
            if writer.is_gone:
                # It was told so, and has ended.
                return
            raise
        raised = None
        try:
            room = loop.create_future()
            reads = writer.write(value, room) and await room
        except (CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            raised = error
        if raised is not None:
            step = generator.athrow(raised)
        elif reads:
            step = generator.__anext__()
        else:
            return
