# litestar: typed handlers, validation by msgspec, sessions in memory
# server: asgi
import hashlib
import pathlib
from dataclasses import dataclass
from typing import Annotated

from litestar import Litestar, Request, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotAuthorizedException
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.params import Body
from litestar.response import Redirect, Stream
from litestar.static_files import create_static_files_router
from msgspec import Meta, Struct


class Item(Struct):
    name: Annotated[str, Meta(min_length=1)]
    price: Annotated[float, Meta(gt=0)]


@dataclass
class Upload:
    title: str
    file: UploadFile


@get("/json")
async def hello(request: Request, name: str = "world") -> dict:
    return {"hello": name, "path": request.url.path}


@post("/upload", status_code=200)
async def upload(data: Annotated[Upload, Body(media_type=RequestEncodingType.MULTI_PART)]) -> dict:
    size = len(await data.file.read())
    return {"title": data.title, "filename": data.file.filename, "type": data.file.content_type, "size": size}


@get("/login")
async def login(request: Request, user: str) -> dict:
    request.set_session({"user": user})
    return {"ok": True}


@get("/me")
async def me(request: Request) -> dict:
    if not request.session:
        raise NotAuthorizedException("who are you?")
    return {"user": request.session["user"]}


@get("/stream")
async def stream() -> Stream:
    async def rows():
        for number in range(5):
            yield f"row {number}\n"

    return Stream(rows(), media_type="text/plain")


@get("/error")
async def error() -> None:
    raise ValueError("an error of the application")


@get("/old")
async def old() -> Redirect:
    return Redirect("/json?name=redirected", status_code=302)


@post("/large", status_code=200, request_max_body_size=None)
async def large(request: Request) -> dict:
    body = await request.body()
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@post("/items")
async def items(data: Item) -> Item:
    return data


static = create_static_files_router("/static", [pathlib.Path(__file__).parent / "static"])
app = Litestar(
    [hello, upload, login, me, stream, error, old, large, items, static],
    middleware=[ServerSideSessionConfig().middleware],
    debug=True,
)
