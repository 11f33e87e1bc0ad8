# mcp: a server and a client, in memory and over HTTP
import asyncio
import uvicorn
from mcp import Client
from mcp.server.mcpserver import MCPServer


def make():
    server = MCPServer("s")

    @server.tool()
    def add(a: int, b: int) -> int:
        return a + b

    @server.resource("file:///r")
    def resource() -> str:
        return "resource"

    return server


async def use(server):
    async with Client(server) as client:
        tools = await client.list_tools()
        added = await client.call_tool("add", {"a": 40, "b": 2})
        read = await client.read_resource("file:///r")
        return [[tool.name for tool in tools.tools], added.content[0].text, read.contents[0].text]


async def main():
    told = [await use(make())]
    server = uvicorn.Server(uvicorn.Config(make().streamable_http_app(stateless_http=True), port=0, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    told.append(await use(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"))
    server.should_exit = True
    await running
    return told


def handler(event, context):
    return asyncio.run(main())
