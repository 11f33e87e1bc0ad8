import asyncio
import sys


async def leave():
    sys.exit(5)


async def handler(event, context):
    if event == "later":
        await asyncio.create_task(leave())
    if event == "caught":
        try:
            sys.exit(6)
        except SystemExit as exit:
            return f"caught {exit.code}"
    return event
