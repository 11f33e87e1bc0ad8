"""Fails in the way that the event's `kind` names: `{"kind": "own"}`, or an HTTP request with `?kind=own`.

Callers get `errorType` (the name of the class), `errorMessage`, `stackTrace`, and the `cause` where there is one.
"""

import asyncio


class OutOfStockError(Exception):
    pass


class OrderError(Exception):
    pass


async def own():
    """An error class of one's own."""
    raise OutOfStockError("no anvil left")


async def builtin():
    """An error that the language raises."""
    item = {}
    return item["price"]


async def cause():
    """An error that is the reason for another. The document carries both, each with its stack."""
    try:
        await own()
    except OutOfStockError as error:
        raise OrderError("cannot place the order") from error


async def later():
    """An error after the handler has waited for something."""
    await asyncio.sleep(0.01)
    raise ValueError("quantity must be from 1 to 9")


async def value():
    """Python raises exceptions only: of anything else it makes a TypeError."""
    raise {"code": 7}


KINDS = {raise_it.__name__: raise_it for raise_it in (own, builtin, cause, later, value)}


async def handler(event, context):
    kind = event.get("kind") or (event.get("queryStringParameters") or {}).get("kind")
    if kind not in KINDS:
        return {"kinds": sorted(KINDS)}
    return await KINDS[kind]()
