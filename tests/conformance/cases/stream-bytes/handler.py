def handler(event, context):
    yield b"a\0b"
    yield bytearray(b"\xc3\xa9")
