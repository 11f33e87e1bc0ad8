import asyncio
import contextlib
import contextvars

var = contextvars.ContextVar("var", default="none")
told = []


@contextlib.asynccontextmanager
async def resource():
    try:
        yield
    except BaseException as error:
        told.append(type(error).__name__)
        raise
    finally:
        await asyncio.sleep(0.001)
        told.append("closed")


async def one_task():
    task = asyncio.current_task()
    token = var.set("mine")
    yield [asyncio.current_task() is task, var.get()]
    await asyncio.sleep(0.001)
    yield [asyncio.current_task() is task, var.get()]
    var.reset(token)
    yield [asyncio.current_task() is task, var.get()]


async def at_a_yield():
    async with resource():
        while True:
            yield "a"


async def deaf():
    while True:
        try:
            yield "a"
        except GeneratorExit:
            pass


kinds = {"task": one_task, "at a yield": at_a_yield, "deaf": deaf}


def handler(event, context):
    return told if event == "told" else kinds[event]()
