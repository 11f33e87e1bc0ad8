// mongodb: BSON both ways, and the error where no server is; no server of its protocol is in Debian
import { BSON, MongoClient, ObjectId } from "mongodb";

export const handler = async () => {
  const bytes = BSON.serialize({
    id: new ObjectId("65a000000000000000000000"),
    at: new Date(0),
    n: 1.5,
    list: [1, null],
    bytes: Buffer.from([1]),
  });
  const back = BSON.deserialize(bytes);
  const client = new MongoClient("mongodb://127.0.0.1:1/", { serverSelectionTimeoutMS: 200 });
  const failed = await client
    .db("d")
    .collection("c")
    .findOne({})
    .catch((error) => error.name);
  await client.close();
  return [bytes.length, back.id.toHexString(), back.at, back.list, failed];
};
