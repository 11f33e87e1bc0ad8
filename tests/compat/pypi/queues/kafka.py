# kafka-python, confluent-kafka, aiokafka, nats-py: the errors where no broker is; none is in Debian
import asyncio
import aiokafka
import kafka
import nats
from confluent_kafka import Producer


async def main():
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
    try:
        await producer.start()
    except aiokafka.errors.KafkaConnectionError as error:
        first = type(error).__name__
    await producer.stop()
    try:
        await nats.connect("nats://127.0.0.1:1", allow_reconnect=False, connect_timeout=1)
    except Exception as error:
        return [first, type(error).__name__]


def handler(event, context):
    try:
        kafka.KafkaProducer(bootstrap_servers="127.0.0.1:1", max_block_ms=300)
        plain = "connected"
    except kafka.errors.KafkaError as error:
        plain = type(error).__name__
    failures = []
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 300, "log_level": 0})
    producer.produce("t", b"x", callback=lambda error, message: failures.append(error.name()))
    producer.flush(5)
    return [plain, failures, asyncio.run(main())]
