from trine import ResponseMetadata


def handler(event, context):
    yield ResponseMetadata(
        status_code=201,
        headers={"x-kind": "made"},
        cookies=["a=b", "c=d; HttpOnly"],
        content_type="text/html",
    )
    yield "<p>"
    yield "made"
