# aws-xray-sdk: segments of functions, requests and of boto3 reach the X-Ray daemon
# needs: aws
# set: AWS_XRAY_CONTEXT_MISSING=LOG_ERROR
# set: LAMBDA_TASK_ROOT=
import json
import os
import time

os.environ.pop("LAMBDA_TASK_ROOT", None)
import boto3
import requests
from aws_xray_sdk.core import patch, xray_recorder

xray_recorder.configure(service="pets", sampling=False, context_missing="LOG_ERROR")
patch(["boto3", "requests"])


@xray_recorder.capture("work")
def work():
    xray_recorder.put_annotation("a", 1)


def handler(event, context):
    mark = f"xray-{os.getpid()}-{event['call']}"
    with xray_recorder.in_segment(mark):
        work()
        requests.get(f"{os.environ['API_URL']}/hello")
        boto3.client("sts").get_caller_identity()
    time.sleep(0.3)
    taken = [
        json.loads(text.split("\n")[1])
        for text in requests.get(f"{os.environ['API_URL']}/taken/datagrams").json()
        if mark in text
    ]
    return [
        [sub["name"].split(":")[0], sub.get("annotations"), sub.get("namespace")]
        for segment in taken
        for sub in segment["subsegments"]
    ]
