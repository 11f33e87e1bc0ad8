// tedious, cassandra-driver, neo4j-driver, @clickhouse/client, @influxdata/influxdb-client: values and queries built; the errors where no server is
import { Connection } from "tedious";
import cassandra from "cassandra-driver";
import neo4j from "neo4j-driver";
import { createClient } from "@clickhouse/client";
import { Point } from "@influxdata/influxdb-client";

export const handler = async () => {
  const failed = await new Promise((resolve) => {
    const it = new Connection({ server: "127.0.0.1", options: { port: 1, connectTimeout: 1000 } });
    it.on("connect", (error) => resolve(error.code));
    it.connect();
  });
  const client = new cassandra.Client({ contactPoints: ["127.0.0.1:1"], localDataCenter: "d" });
  const none = await client.connect().catch((error) => error.name);
  await client.shutdown();
  const driver = neo4j.driver("bolt://127.0.0.1:1");
  const bolt = await driver.verifyConnectivity().catch((error) => error.code);
  await driver.close();
  const house = createClient({ url: process.env.API_URL });
  const alive = await house.ping();
  await house.close();
  return [
    failed,
    none,
    bolt,
    alive.success,
    neo4j.int("9007199254740993").toString(),
    cassandra.types.Uuid.fromString("65a00000-0000-4000-8000-000000000000").toString(),
    new Point("m").tag("a", "b").floatField("f", 1.5).timestamp(new Date(0)).toLineProtocol(),
  ];
};
