# marshmallow, jsonschema, cerberus, voluptuous, msgspec: schemas and their errors
import datetime
import cerberus
import jsonschema
import marshmallow
import msgspec
import voluptuous


class PetSchema(marshmallow.Schema):
    name = marshmallow.fields.Str(required=True)
    born = marshmallow.fields.Date()


class Pet(msgspec.Struct):
    name: str
    age: int = 1


def handler(event, context):
    told = [PetSchema().load({"name": "a", "born": "2026-01-02"})["born"] == datetime.date(2026, 1, 2)]
    try:
        PetSchema().load({"born": "x"})
    except marshmallow.ValidationError as error:
        told.append(error.messages)
    validator = jsonschema.Draft202012Validator(
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    )
    told.append([error.message for error in validator.iter_errors({"a": "x"})])
    checker = cerberus.Validator({"n": {"type": "integer", "min": 1}})
    told += [checker.validate({"n": 0}), checker.errors]
    try:
        voluptuous.Schema({voluptuous.Required("q"): voluptuous.Range(1)})({"q": 0})
    except voluptuous.Invalid as error:
        told.append(str(error))
    told.append(msgspec.json.encode(msgspec.json.decode(b'{"name":"x"}', type=Pet)).decode())
    try:
        msgspec.json.decode(b'{"name":1}', type=Pet)
    except msgspec.ValidationError as error:
        told.append(str(error))
    return told
