# fastapi, sqlalchemy, psycopg: models validated by Pydantic, rows in PostgreSQL, sessions in a signed cookie
# server: asgi
# needs: postgres
import hashlib
import os
import pathlib
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi.responses import RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.middleware.sessions import SessionMiddleware

engine = create_engine(os.environ["POSTGRES_URL"].replace("postgres://", "postgresql+psycopg://"))
mailed = []


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "compat_web_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]


class Item(BaseModel):
    name: str = Field(min_length=1)
    price: float = Field(gt=0)


@asynccontextmanager
async def lifespan(app):
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    yield {"started": True}
    engine.dispose()


app = FastAPI(lifespan=lifespan)
app.add_middleware(SessionMiddleware, secret_key="secret")
app.mount("/static", StaticFiles(directory=pathlib.Path(__file__).parent / "static"))


def session():
    with Session(engine) as session:
        yield session


Db = Annotated[Session, Depends(session)]


@app.get("/json")
async def hello(request: Request, name: str = "world"):
    return {"hello": name, "path": request.url.path, "started": request.state.started}


@app.post("/upload")
async def upload(title: Annotated[str, Form()], file: Annotated[UploadFile, File()]):
    data = await file.read()
    return {"title": title, "filename": file.filename, "type": file.content_type, "size": len(data)}


@app.get("/login")
async def login(request: Request, user: str):
    request.session["user"] = user
    return {"ok": True}


@app.get("/me")
async def me(request: Request):
    if "user" not in request.session:
        raise HTTPException(401, "who are you?")
    return {"user": request.session["user"]}


@app.get("/stream")
async def stream():
    async def rows():
        for number in range(5):
            yield f"row {number}\n"

    return StreamingResponse(rows(), media_type="text/plain")


@app.get("/error")
async def error():
    raise ValueError("an error of the application")


@app.get("/old")
async def old():
    return RedirectResponse("/json?name=redirected", 302)


@app.post("/large")
async def large(request: Request):
    body = await request.body()
    return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@app.post("/items", status_code=201)
def add(item: Item, db: Db, background: BackgroundTasks):
    row = Row(**item.model_dump())
    db.add(row)
    db.commit()
    background.add_task(mailed.append, item.name)
    return {"id": row.id, "name": row.name, "price": row.price}


@app.get("/items")
def items(db: Db):
    rows = db.scalars(select(Row).order_by(Row.id))
    return {"items": [{"id": row.id, "name": row.name} for row in rows], "mailed": mailed}
