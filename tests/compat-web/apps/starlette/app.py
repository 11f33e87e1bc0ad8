# starlette: a chat over WebSockets, work in the background, gzip, sessions in a signed cookie
# server: asgi
import asyncio
import hashlib
import pathlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, RedirectResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

members, ended = {}, asyncio.Event()


async def hello(request):
    return JSONResponse({"hello": request.query_params.get("name", "world"), "path": request.url.path})


async def upload(request):
    async with request.form() as form:
        file = form["file"]
        size = len(await file.read())
        told = {"title": form["title"], "filename": file.filename, "type": file.content_type, "size": size}
    return JSONResponse(told)


async def end():
    ended.set()


async def login(request):
    request.session["user"] = request.query_params["user"]
    return JSONResponse({"ok": True}, background=BackgroundTask(end))


async def me(request):
    if "user" not in request.session:
        raise HTTPException(401, "who are you?")
    return JSONResponse({"user": request.session["user"]})


async def background(request):
    """Answers once the work after the login has been done."""
    await ended.wait()
    return JSONResponse({"background": "done"})


async def stream(request):
    async def rows():
        for number in range(5):
            yield f"row {number}\n"

    return StreamingResponse(rows(), media_type="text/plain")


async def error(request):
    raise ValueError("an error of the application")


async def old(request):
    return RedirectResponse("/json?name=redirected", 302)


async def large(request):
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return JSONResponse({"size": size, "sha256": digest.hexdigest()})


async def items(request):
    item = await request.json()
    if not item.get("name"):
        raise HTTPException(422, "name: is needed")
    return JSONResponse({"name": item["name"]}, 201)


async def chat(socket):
    name = socket.path_params["name"]
    await socket.accept()
    members[name] = socket
    try:
        while True:
            text = await socket.receive_text()
            for member in list(members.values()):
                await member.send_json({"from": name, "text": text})
    except WebSocketDisconnect as end:
        del members[name]
        for member in members.values():
            await member.send_json({"left": name, "code": end.code})


routes = [
    Route("/json", hello),
    Route("/upload", upload, methods=["POST"]),
    Route("/login", login),
    Route("/me", me),
    Route("/background", background),
    Route("/stream", stream),
    Route("/error", error),
    Route("/old", old),
    Route("/large", large, methods=["POST"]),
    Route("/items", items, methods=["POST"]),
    WebSocketRoute("/chat/{name}", chat),
    Mount("/static", StaticFiles(directory=pathlib.Path(__file__).parent / "static")),
]
middleware = [Middleware(GZipMiddleware), Middleware(SessionMiddleware, secret_key="secret")]
app = Starlette(debug=True, routes=routes, middleware=middleware)
