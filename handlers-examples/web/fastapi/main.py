"""Notes, with FastAPI: checked by their types, listed at /docs, announced as they come in."""

import asyncio

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI(title="Notes")
notes: dict[int, "Note"] = {}


class Note(BaseModel):
    title: str
    done: bool = False


@app.get("/")
async def hello(name: str = "world"):
    return {"message": f"Hello, {name}!"}


@app.post("/notes", status_code=201)
async def add(note: Note):
    number = len(notes) + 1
    notes[number] = note
    return {"id": number}


@app.get("/notes/{number}")
async def read(number: int) -> Note:
    if number not in notes:
        raise HTTPException(404, "there is no such note")
    return notes[number]


@app.get("/countdown")
async def countdown():
    async def seconds():
        for left in range(3, 0, -1):
            yield f"{left}\n"
            await asyncio.sleep(0.1)
        yield "lift-off\n"

    return StreamingResponse(seconds(), media_type="text/plain")
