"""boto3 asks an emulator for everything once and prints what it got."""

import base64
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, kind, inputs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client = boto3.client(
    "lambda",
    region_name="us-east-1",
    endpoint_url=endpoint,
    aws_access_key_id="key",
    aws_secret_access_key="secret",
    config=Config(retries={"total_max_attempts": 1}),
)


def log(encoded):
    return base64.b64decode(encoded).decode() if encoded else None


def failed(error):
    answer = error.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return {"error": answer["Error"]["Code"], "status": status, "message": answer["Error"]["Message"]}


def invoke(given):
    answer = client.invoke(**given)
    found = {name: answer.get(name) for name in ("StatusCode", "FunctionError", "ExecutedVersion")}
    return {**found, "log": log(answer.get("LogResult")), "payload": answer["Payload"].read().decode()}


def stream(given):
    answer = client.invoke_with_response_stream(**given)
    found = {name: answer.get(name) for name in ("StatusCode", "ExecutedVersion")}
    found.update(chunks=[], times=[], size=0)
    for event in answer["EventStream"]:
        if "PayloadChunk" in event:
            payload = event["PayloadChunk"]["Payload"]
            found["size"] += len(payload)
            found["times"].append(time.time())
            if len(found["chunks"]) < 10:
                found["chunks"].append(payload.decode(errors="replace")[:100])
        if "InvokeComplete" in event:
            end = event["InvokeComplete"]
            found["complete"] = {name: end.get(name) for name in ("ErrorCode", "ErrorDetails")}
            found["complete"]["log"] = log(end.get("LogResult"))
    return found


found = {}
for name, given in inputs.items():
    try:
        found[name] = (stream if kind == "stream" else invoke)(given)
    except ClientError as error:
        found[name] = failed(error)
if kind == "invoke" and "unknown" in inputs:
    found["described"] = [
        client.get_function(FunctionName="probe")["Configuration"]["FunctionArn"],
        client.get_function_configuration(FunctionName="probe")["MemorySize"],
        [one["FunctionName"] for one in client.list_functions()["Functions"]],
    ]
print(json.dumps(found))
