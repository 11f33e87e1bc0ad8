// @grpc/grpc-js, @grpc/proto-loader: a server and a client: unary, streams in both directions, metadata, errors, deadlines
import grpc from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import protobuf from "protobufjs";

const proto = `syntax = "proto3"; package pets; message Pet { int32 id = 1; string name = 2; }
service Pets { rpc Get (Pet) returns (Pet); rpc List (Pet) returns (stream Pet); rpc Add (stream Pet) returns (Pet); rpc Chat (stream Pet) returns (stream Pet); }`;
const { pets } = grpc.loadPackageDefinition(fromJSON(protobuf.parse(proto).root.toJSON()));

export const handler = async () => {
  const server = new grpc.Server();
  server.addService(pets.Pets.service, {
    get: (call, done) =>
      call.request.id === 0
        ? done({ code: grpc.status.NOT_FOUND, details: "none" })
        : call.request.id === 9
          ? setTimeout(done, 2000, null, {})
          : done(null, { id: call.request.id, name: String(call.metadata.get("who")[0]) }),
    list: (call) => {
      for (let id = 1; id <= 3; id++) call.write({ id });
      call.end();
    },
    add: (call, done) => {
      let id = 0;
      call.on("data", (pet) => (id += pet.id)).on("end", () => done(null, { id }));
    },
    chat: (call) => call.on("data", (pet) => call.write({ id: 2 * pet.id })).on("end", () => call.end()),
  });
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  );
  const client = new pets.Pets(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set("who", "me");
  const unary = (pet, options = {}) =>
    new Promise((resolve) =>
      client.get(pet, metadata, options, (error, reply) =>
        resolve(error ? [error.code, error.details.slice(0, 17)] : reply),
      ),
    );
  const told = [
    await unary({ id: 1 }),
    await unary({ id: 0 }),
    (await unary({ id: 9 }, { deadline: Date.now() + 100 }))[0],
  ];
  const listed = [];
  for await (const pet of client.list({})) listed.push(pet.id);
  const sum = await new Promise((resolve, reject) => {
    const call = client.add((error, reply) => (error ? reject(error) : resolve(reply.id)));
    call.write({ id: 1 });
    call.write({ id: 2 });
    call.end();
  });
  const chat = client.chat();
  const heard = [];
  chat.write({ id: 4 });
  for await (const pet of chat) {
    heard.push(pet.id);
    if (heard.length === 1) {
      chat.write({ id: 5 });
    } else chat.end();
  }
  client.close();
  server.forceShutdown();
  return [...told, listed, sum, heard];
};
