# uvicorn, sanic, websockets: servers that listen in a thread, asked over HTTP and WebSocket
import asyncio
import threading
import time
import urllib.request
import uvicorn
import websockets


async def app(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def echo():
    async def serve(socket):
        async for message in socket:
            await socket.send(message)

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        async with websockets.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as socket:
            await socket.send("é" * 1000)
            text = await socket.recv()
            await socket.send(b"\x01")
            return [len(text), list(await socket.recv())]


def handler(event, context):
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/path").read().decode()
    server.should_exit = True
    thread.join()
    return [text, asyncio.run(echo())]
