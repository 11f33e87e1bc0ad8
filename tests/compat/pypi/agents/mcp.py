# mcp: a server and a client, in memory and over HTTP
import asyncio
import mcp
import uvicorn
from mcp.client.streamable_http import streamablehttp_client
from mcp.server.fastmcp import FastMCP
from mcp.shared.memory import create_connected_server_and_client_session


def make():
    server = FastMCP("s", stateless_http=True)

    @server.tool()
    def add(a: int, b: int) -> int:
        return a + b

    @server.resource("file:///r")
    def resource() -> str:
        return "resource"

    return server


async def use(session):
    tools = await session.list_tools()
    added = await session.call_tool("add", {"a": 40, "b": 2})
    read = await session.read_resource("file:///r")
    return [[tool.name for tool in tools.tools], added.content[0].text, read.contents[0].text]


async def main():
    async with create_connected_server_and_client_session(make()._mcp_server) as session:
        told = [await use(session)]
    server = uvicorn.Server(uvicorn.Config(make().streamable_http_app(), port=0, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with streamablehttp_client(f"http://127.0.0.1:{port}/mcp") as (read, write, _):
        async with mcp.ClientSession(read, write) as session:
            await session.initialize()
            told.append(await use(session))
    server.should_exit = True
    await running
    return told


def handler(event, context):
    return asyncio.run(main())
