# websocket-client, python-socketio: WebSockets and Socket.IO with a server of our own
import asyncio
import threading
import socketio
import websocket
import websockets.sync.server
from aiohttp import web


async def main():
    server = socketio.AsyncServer(async_mode="aiohttp")
    app = web.Application()
    server.attach(app)

    @server.event
    async def double(sid, n):
        return 2 * n

    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = socketio.AsyncClient()
    await client.connect(f"http://127.0.0.1:{runner.addresses[0][1]}")
    answer = await client.call("double", 21)
    await client.disconnect()
    await runner.cleanup()
    return answer


def handler(event, context):
    def serve(socket):
        for message in socket:
            socket.send(message)

    with websockets.sync.server.serve(serve, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = websocket.create_connection(f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
        client.send("é")
        heard = client.recv()
        client.close()
        server.shutdown()
    return [heard, asyncio.run(main())]
