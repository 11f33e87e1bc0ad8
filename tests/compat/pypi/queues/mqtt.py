# paho-mqtt, aiomqtt: publish and subscribe with each quality of service
# needs: mosquitto
import asyncio
import os
import queue
import aiomqtt
import paho.mqtt.client as mqtt

HOST, PORT = os.environ["MQTT_HOST"], int(os.environ["MQTT_PORT"])


async def main(base):
    async with aiomqtt.Client(HOST, PORT) as client:
        await client.subscribe(f"{base}/async")
        await client.publish(f"{base}/async", "é")
        async for message in client.messages:
            return message.payload.decode()


def handler(event, context):
    base = f"py/{os.getpid()}/{event['call']}"
    heard, ready = queue.Queue(), queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda client, data, message: heard.put(
        [message.topic[len(base) :], message.payload.decode(), message.qos]
    )
    client.on_subscribe = lambda *arguments: ready.put(1)
    client.connect(HOST, PORT)
    client.loop_start()
    client.subscribe(f"{base}/#", qos=2)
    ready.get(timeout=5)
    for qos in range(3):
        client.publish(f"{base}/{qos}", f"m{qos}", qos).wait_for_publish(5)
    taken = sorted(heard.get(timeout=5) for _ in range(3))
    client.loop_stop()
    client.disconnect()
    return [taken, asyncio.run(main(base))]
