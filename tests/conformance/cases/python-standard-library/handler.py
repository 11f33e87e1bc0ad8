import collections
import ctypes
import datetime
import hashlib
import json
import pickle
import re
import sqlite3
import ssl
import struct
import zlib


def handler(event, context):
    return {
        "sha256": hashlib.sha256(event.encode()).hexdigest(),
        "zlib": zlib.decompress(zlib.compress(event.encode())).decode(),
        "json": json.dumps({"a": 1}),
        "re": re.search("e(l+)", event).group(),
        "datetime": datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc).isoformat(),
        "sqlite": sqlite3.connect(":memory:").execute("select 1 + 2").fetchone()[0],
        "struct": struct.pack("<HH", 0x0201, 0).hex(),
        "ssl": ssl.create_default_context().check_hostname,
        "ctypes": ctypes.sizeof(ctypes.c_int32),
        "pickle": pickle.loads(pickle.dumps([1, 2])),
        "collections": collections.Counter(event).most_common(1),
        "main": __name__,
    }
