# pika, aio-pika, kombu: queues, exchanges, confirmations with three clients
# needs: rabbitmq
import asyncio
import os
import aio_pika
import kombu
import pika

URL = os.environ["AMQP_URL"]


async def main():
    async with await aio_pika.connect_robust(URL) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await channel.default_exchange.publish(aio_pika.Message(b"async", headers={"n": 1}), queue.name)
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    return [message.body.decode(), message.headers["n"]]


def handler(event, context):
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare("", exclusive=True).method.queue
    for n in range(3):
        channel.basic_publish("", queue, f"m{n}".encode(), pika.BasicProperties(headers={"n": n}))
    taken = []
    for method, properties, body in channel.consume(queue, inactivity_timeout=5):
        taken.append([body.decode(), properties.headers["n"]])
        channel.basic_ack(method.delivery_tag)
        if len(taken) == 3:
            break
    channel.cancel()
    try:
        channel.queue_declare("nothing", passive=True)
    except pika.exceptions.ChannelClosedByBroker as error:
        failed = error.reply_code
    connection.close()
    with kombu.Connection(URL) as other, other.SimpleBuffer(f"py-kombu-{os.getpid()}") as simple:
        simple.put({"k": [1]})
        message = simple.get(timeout=5)
        message.ack()
        payload = message.payload
    return [taken, failed, payload, asyncio.run(main())]
