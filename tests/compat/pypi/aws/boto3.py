# boto3, botocore, s3transfer: S3 with uploads in parts, DynamoDB, SQS, SNS, paginators, waiters, presigned addresses, errors
# needs: aws
import io
import os
import urllib.request
import boto3
from boto3.dynamodb.conditions import Key
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))


def handler(event, context):
    bucket = "py-boto3"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a.txt", Body="contént".encode(), Metadata={"kind": "text"})
    s3.upload_fileobj(
        io.BytesIO(b"x" * 12_000_000),
        bucket,
        "large",
        Config=TransferConfig(multipart_threshold=5_000_000, multipart_chunksize=5_242_880),
    )
    got = s3.get_object(Bucket=bucket, Key="a.txt")
    sink = io.BytesIO()
    s3.download_fileobj(bucket, "large", sink)
    try:
        s3.get_object(Bucket=bucket, Key="none")
    except ClientError as error:
        missing = error.response["Error"]["Code"]
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a.txt"})
    fetched = urllib.request.urlopen(url).read().decode()
    keys = [
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
        for item in page["Contents"]
    ]
    dynamo = boto3.resource("dynamodb")
    try:
        table = dynamo.create_table(
            TableName="py-boto3",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        table.wait_until_exists()
    except ClientError:
        table = dynamo.Table("py-boto3")
    with table.batch_writer() as batch:
        for n in range(5):
            batch.put_item(Item={"pk": "a", "sk": n, "tags": {"x", "y"}, "deep": [{"n": None}]})
    items = table.query(KeyConditionExpression=Key("pk").eq("a") & Key("sk").gt(2))["Items"]
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    queue = sqs.create_queue(QueueName=f"py-boto3-{os.getpid()}-{event['call']}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=f"py-boto3-{os.getpid()}-{event['call']}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="hello")
    bodies = [message["Body"] for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]]
    return [
        got["Body"].read().decode(),
        got["Metadata"],
        len(sink.getvalue()),
        missing,
        fetched,
        keys,
        [[int(item["sk"]), sorted(item["tags"])] for item in items],
        bodies,
    ]
