# aioboto3, s3fs: S3 and DynamoDB asynchronously, S3 as a file system
# needs: aws
import asyncio
import aioboto3
import s3fs


async def main():
    session = aioboto3.Session()
    async with session.client("s3") as s3, session.resource("dynamodb") as dynamo:
        await s3.create_bucket(Bucket="py-aio")
        await asyncio.gather(*(s3.put_object(Bucket="py-aio", Key=f"k{n}", Body=b"x" * n) for n in range(4)))
        listed = await s3.list_objects_v2(Bucket="py-aio")
        body = await (await s3.get_object(Bucket="py-aio", Key="k3"))["Body"].read()
        try:
            await dynamo.create_table(TableName="py-aio", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
        except Exception:
            pass
        table = await dynamo.Table("py-aio")
        await table.put_item(Item={"id": "1"})
        return [[item["Key"] for item in listed["Contents"] if item["Key"].startswith("k")], body.decode(), (await table.get_item(Key={"id": "1"}))["Item"]]


def handler(event, context):
    told = asyncio.run(main())
    fs = s3fs.S3FileSystem()
    with fs.open("py-aio/file.txt", "w") as file:
        file.write("written")
    with fs.open("py-aio/file.txt") as file:
        return [told, file.read().decode(), "py-aio/file.txt" in fs.ls("py-aio", refresh=True)]
