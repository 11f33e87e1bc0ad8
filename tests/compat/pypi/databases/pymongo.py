# pymongo, motor: BSON both ways, and the error where no server is; no server of its protocol is in Debian
import asyncio
import datetime
import bson
import motor.motor_asyncio
import pymongo


async def main():
    try:
        await motor.motor_asyncio.AsyncIOMotorClient(
            "mongodb://127.0.0.1:1", serverSelectionTimeoutMS=200
        ).d.c.find_one()
    except pymongo.errors.ServerSelectionTimeoutError as error:
        return type(error).__name__


def handler(event, context):
    data = bson.encode(
        {"id": bson.ObjectId("65a000000000000000000000"), "n": 1.5, "at": datetime.datetime(2026, 1, 1), "b": b"\x01"}
    )
    try:
        pymongo.MongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=200).d.c.find_one()
    except pymongo.errors.PyMongoError as error:
        failed = type(error).__name__
    return [len(data), str(bson.decode(data)["id"]), bson.has_c(), failed, asyncio.run(main())]
