# anyio, trio, gevent, greenlet, uvloop, nest-asyncio, cffi: other event loops, switches, C
import asyncio
import anyio
import cffi
import gevent
import greenlet
import nest_asyncio
import trio
import uvloop


async def both():
    told = []

    async def one(n):
        await anyio.sleep(0.02 * n)
        told.append(n)

    async with anyio.create_task_group() as group:
        for n in (3, 1, 2):
            group.start_soon(one, n)
    with anyio.move_on_after(0.05) as scope:
        await anyio.sleep(5)
    return [told, scope.cancelled_caught]


def handler(event, context):
    jobs = [gevent.spawn(lambda n=n: (gevent.sleep(0.001), n)[1]) for n in range(3)]
    gevent.joinall(jobs, timeout=5)
    order = []
    first = greenlet.greenlet(lambda: (order.append(1), second.switch(), order.append(3)))
    second = greenlet.greenlet(lambda: (order.append(2), first.switch()))
    first.switch()
    ffi = cffi.FFI()
    ffi.cdef("size_t strlen(const char *);")
    loop = asyncio.new_event_loop()
    nest_asyncio.apply(loop)

    async def outer():
        return loop.run_until_complete(asyncio.sleep(0, "nested"))

    nested = loop.run_until_complete(outer())
    loop.close()
    return [
        trio.run(both),
        uvloop.run(both()),
        asyncio.run(both()),
        [job.value for job in jobs],
        order,
        ffi.dlopen(None).strlen(b"four"),
        nested,
    ]
