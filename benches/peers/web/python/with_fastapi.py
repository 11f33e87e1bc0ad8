"""A FastAPI endpoint that takes an order, checks it against its types, and answers it."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Stock(BaseModel):
    count: int
    is_left: bool


class Item(BaseModel):
    id: int
    name: str
    price: float
    stock: Stock
    path: str


class Order(BaseModel):
    id: int
    tags: list[str]
    items: list[Item]
    text: str


@app.post("/")
async def echo(order: Order) -> Order:
    return order
