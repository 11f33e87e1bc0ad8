// protobufjs, @bufbuild/protobuf, google-protobuf, avsc: messages to bytes and back
import protobuf from "protobufjs";
import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import timestamp from "google-protobuf/google/protobuf/timestamp_pb.js";
import avro from "avsc";

export const handler = async () => {
  const { root } = protobuf.parse(
    'syntax = "proto3"; message Pet { int64 id = 1; string name = 2; repeated int32 tags = 3; bytes raw = 4; }',
  );
  const Pet = root.lookupType("Pet");
  const bytes = Pet.encode({ id: 7, name: "é", tags: [1, 2], raw: Buffer.from([9]) }).finish();
  const time = timestampFromMs(1500);
  const message = new timestamp.Timestamp();
  message.setSeconds(5);
  const type = avro.Type.forSchema({
    type: "record",
    name: "Pet",
    fields: [
      { name: "id", type: "long" },
      { name: "kind", type: { type: "enum", name: "Kind", symbols: ["CAT", "DOG"] } },
    ],
  });
  return [
    Buffer.from(bytes).toString("hex"),
    Pet.toObject(Pet.decode(bytes), { longs: String, bytes: String }),
    toJson(TimestampSchema, fromBinary(TimestampSchema, toBinary(TimestampSchema, create(TimestampSchema, time)))),
    timestamp.Timestamp.deserializeBinary(message.serializeBinary()).getSeconds(),
    type.toBuffer({ id: 1, kind: "DOG" }).toString("hex"),
    type.fromBuffer(Buffer.from("0202", "hex")),
  ];
};
