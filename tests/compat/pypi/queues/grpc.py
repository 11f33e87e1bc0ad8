# grpcio, grpcio-tools, protobuf: a server and a client of messages compiled here: unary, streams, metadata, errors, deadlines, asynchronously
import asyncio
import importlib
import os
import sys
import tempfile
from concurrent import futures
import grpc
from google.protobuf import json_format
from grpc_tools import protoc

PROTO = """syntax = "proto3"; package pets; message Pet { int32 id = 1; string name = 2; }
service Pets { rpc Get (Pet) returns (Pet); rpc List (Pet) returns (stream Pet); rpc Add (stream Pet) returns (Pet); }"""

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "pets.proto"), "w") as file:
    file.write(PROTO)
protoc.main(["", f"-I{folder}", f"--python_out={folder}", f"--grpc_python_out={folder}", "pets.proto"])
sys.path.append(folder)
pb, pb_grpc = importlib.import_module("pets_pb2"), importlib.import_module("pets_pb2_grpc")


class Pets(pb_grpc.PetsServicer):
    def Get(self, request, context):
        if request.id == 0:
            context.abort(grpc.StatusCode.NOT_FOUND, "none")
        return pb.Pet(id=request.id, name=dict(context.invocation_metadata())["who"])

    def List(self, request, context):
        for id in range(3):
            yield pb.Pet(id=id)

    def Add(self, requests, context):
        return pb.Pet(id=sum(pet.id for pet in requests))


async def later(port):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        return [pet.id async for pet in pb_grpc.PetsStub(channel).List(pb.Pet())]


def handler(event, context):
    server = grpc.server(futures.ThreadPoolExecutor(2))
    pb_grpc.add_PetsServicer_to_server(Pets(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = pb_grpc.PetsStub(channel)
        told = [
            json_format.MessageToDict(stub.Get(pb.Pet(id=1), metadata=[("who", "me")])),
            [pet.id for pet in stub.List(pb.Pet())],
            stub.Add(iter([pb.Pet(id=1), pb.Pet(id=2)])).id,
        ]
        try:
            stub.Get(pb.Pet(id=0))
        except grpc.RpcError as error:
            told.append([error.code().name, error.details()])
    told.append(asyncio.run(later(port)))
    server.stop(None)
    return told
