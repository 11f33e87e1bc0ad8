from trine import ResponseMetadata


def handler(event, context):
    yield b"one"
    yield ResponseMetadata(201)
