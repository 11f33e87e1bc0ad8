"""Sums up the objects of an S3 notification."""

from urllib.parse import unquote_plus


def handler(event, context):
    objects = [describe(record["s3"]) for record in event.get("Records", [])]
    return {"objects": objects, "totalSize": sum(item["size"] for item in objects)}


def describe(s3):
    return {
        "bucket": s3["bucket"]["name"],
        # Keys arrive as in a query string: a space is `+`, and bytes of UTF-8 are `%XX`.
        "key": unquote_plus(s3["object"]["key"]),
        # Notifications of deletions have no size.
        "size": s3["object"].get("size", 0),
    }
