import asyncio
import subprocess


async def handler(event, context):
    process = await asyncio.create_subprocess_shell(f"echo {event}", stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    second = subprocess.run(["echo", event], capture_output=True, text=True, check=True)
    return [out.decode().strip(), second.stdout.strip()]
