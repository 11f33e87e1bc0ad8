# A durable function without an SDK: each update of its input is an operation, carried out one after the other. Where the
# input says what to answer, or to crash, it does that.
import json
import os
import signal
import urllib.error
import urllib.parse
import urllib.request

API = os.environ["AWS_ENDPOINT_URL_LAMBDA"] + "/2025-12-01/durable-executions"


def handler(event, context):
    arn = urllib.parse.quote(event["DurableExecutionArn"], safe="")
    state, token, operations = event["InitialExecutionState"], event["CheckpointToken"], {}

    def ask(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(f"{API}/{arn}/{path}", data) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            kind, message = error.headers["x-amzn-errortype"], json.load(error)["message"]
            raise Exception(f"{kind}: {message}") from None

    def learn(found):
        operations.update((operation["Id"], operation) for operation in found)

    def checkpoint(*updates):
        nonlocal token
        answer = ask("checkpoint", {"CheckpointToken": token, "Updates": updates})
        learn(answer["NewExecutionState"]["Operations"])
        token = answer["CheckpointToken"]

    learn(state["Operations"])
    marker = state["NextMarker"]
    while marker:
        page = ask(f"state?CheckpointToken={token}&Marker={marker}&MaxItems=2")
        learn(page["Operations"])
        marker = page.get("NextMarker")
    given = json.loads(state["Operations"][0]["ExecutionDetails"]["InputPayload"])
    if given.get("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    token = given.get("token", token)
    outcomes = []
    for at, update in enumerate(given.get("updates", [])):
        key = f"operation-{at}"
        if "size" in given:
            update["Payload"] = json.dumps("x" * given["size"])
        if key not in operations:
            checkpoint({"Id": key, **update})
        if operations[key]["Status"] == "READY":
            step = {"Id": key, "Type": "STEP"}
            checkpoint({**step, "Action": "START"}, {**step, "Action": "SUCCEED", "Payload": '"at last"'})
        operation = operations[key]
        if operation["Status"] in ("STARTED", "PENDING"):
            return {"Status": "PENDING"}
        details = next(details for name, details in operation.items() if name.endswith("Details"))
        result = details.get("Result")
        if "Error" in details:
            result = details["Error"].get("ErrorType")
        elif result and len(result) > 100:
            result = len(result)
        outcomes.append(result or operation["Status"])
    return given["answer"] if "answer" in given else {"Status": "SUCCEEDED", "Result": json.dumps(outcomes)}
