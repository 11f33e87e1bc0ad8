import asyncio

loops = set()


async def timed_out():
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.01)
    except asyncio.TimeoutError as error:
        return type(error).__name__


async def cancelled():
    task = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def queued():
    queue = asyncio.Queue()

    async def produce():
        for number in range(3):
            await queue.put(number)
            await asyncio.sleep(0)

    producer = asyncio.create_task(produce())
    found = [await queue.get() for _ in range(3)]
    await producer
    return found


async def locked():
    lock, count = asyncio.Lock(), 0

    async def increment():
        nonlocal count
        async with lock:
            before = count
            await asyncio.sleep(0)
            count = before + 1

    await asyncio.gather(increment(), increment())
    return count


async def grouped():
    async def later(value):
        await asyncio.sleep(0.001)
        return value

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(later(value)) for value in (1, 2)]
    return [task.result() for task in tasks]


async def generated():
    async def numbers():
        for number in range(2):
            await asyncio.sleep(0)
            yield number

    return [number async for number in numbers()]


async def executed():
    process = await asyncio.create_subprocess_exec("echo", "out", stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode().strip()


async def handler(event, context):
    loop = asyncio.get_running_loop()
    loops.add(loop)
    return {
        "timeout": await timed_out(),
        "cancelled": await cancelled(),
        "queue": await queued(),
        "lock": await locked(),
        "group": await grouped(),
        "executor": await loop.run_in_executor(None, lambda: 5),
        "loop": len(loops) == 1,
        "generator": await generated(),
        "process": await executed(),
    }
