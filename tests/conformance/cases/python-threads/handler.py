import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor


def square(number):
    return number * number


async def handler(event, context):
    with ThreadPoolExecutor(max_workers=2) as pool:
        pooled = list(pool.map(square, event))
    seen = []
    thread = threading.Thread(target=lambda: seen.append(sum(event)))
    thread.start()
    thread.join()
    return {
        "pool": pooled,
        "thread": seen,
        "to_thread": await asyncio.to_thread(lambda: 7),
        "name": square.__name__,
    }
