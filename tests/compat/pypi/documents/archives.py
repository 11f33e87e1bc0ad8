# zstandard, lz4, brotli, py7zr: packed and unpacked
import io
import brotli
import lz4.frame
import py7zr
import zstandard


def handler(event, context):
    data = b"content" * 1000
    sink = io.BytesIO()
    with py7zr.SevenZipFile(sink, "w") as archive:
        archive.writestr(data, "a.txt")
    sink.seek(0)
    with py7zr.SevenZipFile(sink) as archive:
        names = archive.getnames()
    return [
        zstandard.decompress(zstandard.compress(data)) == data,
        lz4.frame.decompress(lz4.frame.compress(data)) == data,
        brotli.decompress(brotli.compress(data)) == data,
        len(brotli.compress(data)),
        names,
    ]
