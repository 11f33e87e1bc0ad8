"""A function with a real dependency: the client is made while the function is loaded, as is recommended for Lambda."""

import boto3

client = boto3.client("s3", region_name="eu-west-1")


def handler(event, context):
    return event if client else None
