"""boto3 starts durable executions, answers their callbacks, and prints what has come of them."""

import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

client = boto3.client(
    "lambda",
    region_name="us-east-1",
    endpoint_url=sys.argv[1],
    aws_access_key_id="key",
    aws_secret_access_key="secret",
    config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
)


def ask(name, **given):
    try:
        return getattr(client, name)(**given)
    except ClientError as error:
        return {"error": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}


def invoke(name, event, **more):
    answer = ask("invoke", FunctionName=f"{name}:$LATEST", Payload=json.dumps(event), **more)
    if "error" in answer:
        return answer
    text = answer["Payload"].read().decode()
    found = {"arn": answer.get("DurableExecutionArn"), "payload": json.loads(text) if text else None}
    return {**found, "failed": answer.get("FunctionError")}


def until(find):
    for _ in range(200):
        if found := find():
            return found
        time.sleep(0.05)
    raise TimeoutError("waited in vain")


def end(arn):
    def ended():
        found = ask("get_durable_execution", DurableExecutionArn=arn)
        result = found.get("Result") or found.get("Error", {}).get("ErrorMessage")
        return found["Status"] != "RUNNING" and [
            found["Status"],
            result,
            found["EndTimestamp"] > found["StartTimestamp"],
        ]

    return until(ended)


def callback(arn):
    def started():
        history = ask("get_durable_execution_history", DurableExecutionArn=arn, IncludeExecutionData=True)
        details = (event.get("CallbackStartedDetails") for event in history["Events"])
        return next((one["CallbackId"] for one in details if one), None)

    return until(started)


def flow(name):
    found = {
        "all": invoke(name, {"do": "all"}, DurableExecutionName="all-of-it"),
        "again": invoke(name, {"do": "all"}, DurableExecutionName="all-of-it"),
        "other": invoke(name, {"do": "else"}, DurableExecutionName="all-of-it"),
        "large": invoke(name, {"do": "large"}),
        "error": invoke(name, {}),
        "crash": invoke(name, {"do": "crash"}),
    }

    def begin(timeout):
        return invoke(name, {"do": "approval", "timeout": timeout}, InvocationType="Event")["arn"]

    error = {"ErrorType": "Denied", "ErrorMessage": "not today"}
    send = "send_durable_execution_callback_"
    yes = begin(60)
    answered = callback(yes)
    found["heartbeat"] = ask(send + "heartbeat", CallbackId=answered).get("error")
    found["success"] = ask(send + "success", CallbackId=answered, Result=b"granted").get("error")
    found["yes"] = end(yes)
    no = begin(60)
    found["failure"] = ask(send + "failure", CallbackId=callback(no), Error=error).get("error")
    found["no"] = end(no)
    late = begin(1)
    answered = callback(late)
    found["late"] = end(late)
    found["too_late"] = ask(send + "success", CallbackId=answered).get("error")
    stopped = begin(60)
    callback(stopped)
    ask("stop_durable_execution", DurableExecutionArn=stopped, Error=error)
    found["stopped"] = end(stopped)

    def listed(*statuses):
        answer = ask("list_durable_executions_by_function", FunctionName=name, Statuses=statuses)
        return len(answer["DurableExecutions"])

    found["listed"] = [listed("STOPPED"), listed("RUNNING")]
    found["unknown"] = ask("get_durable_execution", DurableExecutionArn=yes[:-1] + "_").get("error")
    configuration = ask("get_function_configuration", FunctionName=name)
    found["config"] = configuration.get("DurableConfig", {}).get("ExecutionTimeout")
    return found


print(json.dumps({name: flow(name) for name in ("flow_js", "flow_py")}))
