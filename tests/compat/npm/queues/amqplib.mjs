// amqplib: queues, exchanges, confirmations, acknowledgements
// needs: rabbitmq
import amqp from "amqplib";

export const handler = async () => {
  const connection = await amqp.connect(process.env.AMQP_URL);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange("npm", "topic", { autoDelete: true });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "npm", "pets.*");
  for (const n of [1, 2, 3])
    channel.publish("npm", "pets.made", Buffer.from(JSON.stringify({ n })), {
      headers: { h: n },
      contentType: "application/json",
    });
  channel.publish("npm", "other", Buffer.from("lost"));
  await channel.waitForConfirms();
  const taken = [];
  await new Promise((resolve) =>
    channel.consume(queue, (message) => {
      taken.push([JSON.parse(message.content), message.properties.headers.h]);
      channel.ack(message);
      if (taken.length === 3) resolve();
    }),
  );
  const failed = await new Promise(async (resolve) => {
    const other = await connection.createChannel();
    other.on("error", (error) => resolve(error.code));
    other.checkQueue("nothing").catch(() => {});
  });
  await connection.close();
  return [taken, failed];
};
