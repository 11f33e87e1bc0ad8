// kafkajs: the error where no broker is; none is in Debian
import { Kafka, logLevel } from "kafkajs";

export const handler = async () => {
  const kafka = new Kafka({
    clientId: "c",
    brokers: ["127.0.0.1:1"],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 10 },
  });
  return await kafka
    .producer()
    .connect()
    .catch((error) => [error.name, error.message.slice(0, 30)]);
};
