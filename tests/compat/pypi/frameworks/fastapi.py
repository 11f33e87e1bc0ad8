# fastapi, starlette, mangum, python-multipart: typed routes, dependencies, validation, streams, uploads, background tasks, behind payload format 2.0
import json
from typing import Annotated
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, UploadFile
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from mangum import Mangum
from pydantic import BaseModel, Field

app = FastAPI()
done = []


class Pet(BaseModel):
    name: str = Field(min_length=2)
    age: int = 1


async def page(limit: int = 10):
    yield limit


@app.get("/pets/{id}")
async def read(id: int, limit: Annotated[int, Depends(page)], q: str | None = None):
    return {"id": id, "limit": limit, "q": q}


@app.post("/pets", status_code=201)
def make(pet: Pet, tasks: BackgroundTasks) -> Pet:
    tasks.add_task(done.append, pet.name)
    return pet


@app.post("/upload")
async def upload(file: UploadFile):
    return {"name": file.filename, "size": len(await file.read())}


@app.get("/stream")
async def stream():
    async def pieces():
        for n in range(3):
            yield f"{n}\n"

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/fail")
def fail():
    raise HTTPException(418, "teapot")


proxy = Mangum(app)


def handler(event, context):
    done.clear()

    def ask(method, path, body=None, query=""):
        http = {"method": method, "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"}
        headers = {"content-type": "application/json", "host": "h"}
        reply = proxy(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "headers": headers,
                "requestContext": {"http": http},
                "body": body and json.dumps(body),
                "isBase64Encoded": False,
            },
            context,
        )
        return [reply["statusCode"], reply["body"]]

    told = [
        ask("GET", "/pets/7", query="limit=3&q=x"),
        ask("GET", "/pets/x")[0],
        ask("POST", "/pets", {"name": "Rex"}),
        ask("POST", "/pets", {"name": "R"})[0],
        ask("GET", "/stream"),
        ask("GET", "/fail"),
        list(done),
    ]
    with TestClient(app) as client:
        told += [
            client.post("/upload", files={"file": ("a.txt", b"content")}).json(),
            sorted(client.get("/openapi.json").json()["paths"]),
        ]
    return told
