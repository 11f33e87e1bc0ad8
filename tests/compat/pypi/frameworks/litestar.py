# litestar, quart, tornado: asynchronous frameworks: routes, tests, a server that listens
import asyncio
import tornado.httpclient
import tornado.httpserver
import tornado.web
from litestar import Litestar, get, post
from litestar.testing import TestClient
from quart import Quart


@get("/pets/{id:int}")
async def pet(id: int) -> dict:
    return {"id": id}


@post("/pets")
async def make(data: dict[str, int]) -> dict:
    return data


quart = Quart(__name__)


@quart.route("/q")
async def q():
    return {"q": True}


class Hello(tornado.web.RequestHandler):
    async def get(self, name):
        await asyncio.sleep(0.001)
        self.write({"hello": name})


async def main():
    server = tornado.httpserver.HTTPServer(tornado.web.Application([(r"/(\w+)", Hello)]))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    reply = await client.fetch(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/t")
    client.close()
    server.stop()
    return [reply.body.decode(), await (await quart.test_client().get("/q")).get_json()]


def handler(event, context):
    with TestClient(Litestar([pet, make])) as client:
        told = [
            client.get("/pets/7").json(),
            client.post("/pets", json={"a": 1}).json(),
            client.get("/pets/x").status_code,
        ]
    return told + asyncio.run(main())
