# msgpack, cbor2, avro, fastavro, betterproto, dill, cloudpickle, thrift: values to bytes and back
import io
import cbor2
import cloudpickle
import dill
import fastavro
import msgpack
import pickle
import thrift.protocol.TBinaryProtocol
import thrift.transport.TTransport
from dataclasses import dataclass
import betterproto


@dataclass
class Pet(betterproto.Message):
    id: int = betterproto.int32_field(1)
    name: str = betterproto.string_field(2)


def handler(event, context):
    n = 40
    schema = fastavro.parse_schema(
        {
            "type": "record",
            "name": "Pet",
            "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}],
        }
    )
    file = io.BytesIO()
    fastavro.writer(file, schema, [{"id": 1, "name": "é"}])
    file.seek(0)
    memory = thrift.transport.TTransport.TMemoryBuffer()
    thrift.protocol.TBinaryProtocol.TBinaryProtocol(memory).writeString("é")
    return [
        msgpack.packb({"a": [1, None, "é"]}).hex(),
        msgpack.unpackb(msgpack.packb([1.5, b"x"])) == [1.5, b"x"],
        cbor2.dumps({"a": [1, 2.5]}).hex(),
        list(fastavro.reader(file)),
        bytes(Pet(id=7, name="é")).hex(),
        Pet().parse(bytes(Pet(id=7))).id,
        dill.loads(dill.dumps(lambda x: x + n))(2),
        pickle.loads(cloudpickle.dumps(lambda x: x + n))(2),
        memory.getvalue().hex(),
    ]
