# aiobotocore, s3fs: S3 and DynamoDB asynchronously, S3 as a file system
# needs: aws
import asyncio
import aiobotocore.session
import s3fs

TABLE = {
    "TableName": "py-aio",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


async def main():
    session = aiobotocore.session.get_session()
    async with session.create_client("s3") as s3, session.create_client("dynamodb") as dynamo:
        await s3.create_bucket(Bucket="py-aio")
        await asyncio.gather(*(s3.put_object(Bucket="py-aio", Key=f"k{n}", Body=b"x" * n) for n in range(4)))
        listed = await s3.list_objects_v2(Bucket="py-aio", Prefix="k")
        got = await s3.get_object(Bucket="py-aio", Key="k3")
        async with got["Body"] as stream:
            body = await stream.read()
        try:
            await dynamo.create_table(**TABLE)
        except dynamo.exceptions.ResourceInUseException:
            pass
        await dynamo.put_item(TableName="py-aio", Item={"id": {"S": "1"}})
        found = await dynamo.get_item(TableName="py-aio", Key={"id": {"S": "1"}})
        return [[item["Key"] for item in listed["Contents"]], body.decode(), found["Item"]]


def handler(event, context):
    told = asyncio.run(main())
    fs = s3fs.S3FileSystem()
    with fs.open("py-aio/file.txt", "w") as file:
        file.write("written")
    with fs.open("py-aio/file.txt") as file:
        return [told, file.read().decode(), "py-aio/file.txt" in fs.ls("py-aio", refresh=True)]
