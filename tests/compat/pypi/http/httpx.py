# httpx, anyio: both kinds of clients, streams, time limits, mocks, TLS, under asyncio
import asyncio
import os
import httpx

API, TLS = os.environ["API_URL"], os.environ["API_TLS_URL"]


async def main():
    async with httpx.AsyncClient(base_url=API, follow_redirects=True) as client:
        many = await asyncio.gather(*(client.get("/hello", params={"name": str(n)}) for n in range(5)))
        async with client.stream("GET", "/lines") as reply:
            lines = [line async for line in reply.aiter_lines()]
        try:
            await client.get("/slow", timeout=0.1)
        except httpx.TimeoutException as error:
            late = type(error).__name__
        return [[reply.json()["hello"] for reply in many], lines, late, (await client.get("/redirect")).json()]


def handler(event, context):
    mocked = httpx.Client(
        transport=httpx.MockTransport(lambda request: httpx.Response(200, json={"path": request.url.path}))
    )
    with httpx.Client(base_url=API, auth=("user", "pass")) as client:
        posted = client.post("/echo", json={"n": 1}).json()
        return [
            posted,
            client.get("/basic").json(),
            client.get("/status/404").is_error,
            mocked.get("http://m/a").json(),
            httpx.get(f"{TLS}/hello").json(),
            asyncio.run(main()),
        ]
