# aiohttp: a client with many requests at once, streams, forms, WebSockets, and a server
import asyncio
import os
import aiohttp
from aiohttp import web

API = os.environ["API_URL"]


async def socket(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data + "!")
    return ws


async def main():
    app = web.Application()
    app.router.add_get("/ws", socket)
    app.router.add_get("/pets/{id}", lambda request: web.json_response({"id": request.match_info["id"]}))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:

        async def get(n):
            async with session.get(f"{API}/hello", params={"name": str(n)}) as reply:
                return (await reply.json())["hello"]

        many = await asyncio.gather(*map(get, range(5)))
        form = aiohttp.FormData({"a": "b"})
        form.add_field("file", b"content", filename="a.txt")
        async with session.post(f"{API}/echo", data=form) as reply:
            posted = (await reply.json())["type"]
        async with session.get(f"{API}/lines") as reply:
            lines = [line.decode() async for line in reply.content]
        try:
            await session.get(f"{API}/slow", timeout=aiohttp.ClientTimeout(total=0.1))
        except asyncio.TimeoutError:
            late = "late"
        async with session.ws_connect(f"{base}/ws") as ws:
            await ws.send_str("é")
            heard = await ws.receive_str()
        async with session.get(f"{base}/pets/7") as reply:
            pet = await reply.json()
    await runner.cleanup()
    return [many, posted, lines, late, heard, pet]


def handler(event, context):
    return asyncio.run(main())
