import asyncio
import socket


async def serve(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


def ask(port, text):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(text.encode() + b"\n")
        return connection.makefile().readline().strip()


async def handler(event, context):
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(event.encode() + b"\n")
    streams = (await reader.readline()).decode().strip()
    writer.close()
    blocking = await asyncio.to_thread(ask, port, event)
    server.close()
    return {"streams": streams, "blocking": blocking}
