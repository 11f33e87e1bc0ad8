# boto3: secrets, parameters, keys, roles, events, streams of records, logs, mail, user pools
# needs: aws
import os
import boto3


def handler(event, context):
    name = f"py-others-{os.getpid()}-{event['call']}"
    ssm, secrets, kms = boto3.client("ssm"), boto3.client("secretsmanager"), boto3.client("kms")
    ssm.put_parameter(Name=f"/{name}/a", Value="1", Type="SecureString")
    secrets.create_secret(Name=name, SecretString="hush")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"hush")["CiphertextBlob"]
    events = boto3.client("events").put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])[
        "FailedEntryCount"
    ]
    kinesis = boto3.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    kinesis.put_record(StreamName=name, Data=b"record", PartitionKey="k")
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    ses = boto3.client("ses")
    ses.verify_email_identity(EmailAddress="a@b.test")
    sent = ses.send_email(
        Source="a@b.test",
        Destination={"ToAddresses": ["c@d.test"]},
        Message={"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}},
    )
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=name)["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=pool, Username="me")
    return [
        ssm.get_parameter(Name=f"/{name}/a", WithDecryption=True)["Parameter"]["Value"],
        secrets.get_secret_value(SecretId=name)["SecretString"],
        kms.decrypt(CiphertextBlob=blob)["Plaintext"].decode(),
        events,
        [record["Data"].decode() for record in kinesis.get_records(ShardIterator=iterator)["Records"]],
        bool(sent["MessageId"]),
        [user["Username"] for user in cognito.list_users(UserPoolId=pool)["Users"]],
        boto3.client("sts").get_caller_identity()["Account"],
    ]
