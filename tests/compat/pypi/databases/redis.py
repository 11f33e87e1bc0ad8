# redis: pipelines, scripts, publish and subscribe, streams, locks, asynchronously, TLS
# needs: redis
import asyncio
import os
import redis
import redis.asyncio

URL = os.environ["REDIS_URL"]


async def main():
    async with redis.asyncio.from_url(URL, decode_responses=True) as client:
        async with client.pubsub() as pubsub:
            await pubsub.subscribe("py-redis")
            await pubsub.get_message(timeout=5)
            await client.publish("py-redis", "hello")
            heard = await pubsub.get_message(timeout=5)
        return [heard["data"], await asyncio.gather(*(client.incr("py:gathered") for _ in range(3)))][0]


def handler(event, context):
    with redis.from_url(URL, decode_responses=True) as client:
        client.delete("py:list", "py:stream")
        with client.pipeline() as pipeline:
            piped = pipeline.set("py:a", "é").get("py:a").rpush("py:list", 1, 2).lrange("py:list", 0, -1).execute()
        doubled = client.register_script("return 2 * ARGV[1]")(args=[21])
        client.xadd("py:stream", {"a": 1})
        entries = [fields for _, fields in client.xrange("py:stream")]
        with client.lock("py:lock", timeout=5) as lock:
            locked = lock.owned()
        try:
            client.execute_command("NOTHING")
        except redis.ResponseError as error:
            failed = type(error).__name__
    secure = redis.from_url(os.environ["REDIS_TLS_URL"], ssl_ca_certs=os.environ["AUTHORITY_FILE"])
    return [piped, doubled, entries, locked, failed, secure.ping(), asyncio.run(main())]
