import asyncio

from fastapi import FastAPI, Response
from mangum import Mangum

app = FastAPI()
slots = asyncio.Semaphore(4)


@app.get("/pets/{id}")
async def pet(id: str, colour: str | None = None):
    async with slots:
        await asyncio.sleep(0.005)
    return {"framework": "fastapi", "id": id, "colour": colour}


@app.post("/pets", status_code=201)
async def add(pet: dict, response: Response):
    response.set_cookie("last", pet["name"])
    return {"framework": "fastapi", "added": pet["name"]}


handler = Mangum(app, lifespan="off")
