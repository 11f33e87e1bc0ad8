// mqtt: publish and subscribe with each quality of service, retained messages, wills
// needs: mosquitto
import mqtt from "mqtt";

export const handler = async (event) => {
  const base = `npm/${process.versions.v8}/${event.call}`;
  const client = await mqtt.connectAsync(process.env.MQTT_URL, { protocolVersion: 5 });
  await client.publishAsync(`${base}/retained`, "kept", { retain: true });
  const taken = [];
  const done = new Promise((resolve) =>
    client.on("message", (topic, payload, packet) => {
      taken.push([topic.slice(base.length), String(payload), packet.qos, packet.retain]);
      if (taken.length === 4) resolve();
    }),
  );
  await client.subscribeAsync(`${base}/#`, { qos: 2 });
  for (const qos of [0, 1, 2]) await client.publishAsync(`${base}/${qos}`, `m${qos}`, { qos });
  await done;
  await client.endAsync();
  return taken.sort();
};
