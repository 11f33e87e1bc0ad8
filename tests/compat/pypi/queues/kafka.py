# confluent-kafka, aiokafka: the errors where no broker is; none is in Debian
import asyncio
import aiokafka
from confluent_kafka import Producer


async def main():
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
    try:
        await producer.start()
    except aiokafka.errors.KafkaConnectionError as error:
        return type(error).__name__
    finally:
        await producer.stop()


def handler(event, context):
    failures = []
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 300, "log_level": 0})
    producer.produce("t", b"x", callback=lambda error, message: failures.append(error.name()))
    producer.flush(5)
    return [failures, asyncio.run(main())]
