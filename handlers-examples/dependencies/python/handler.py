"""Puts lengths of time into words with a package from PyPI.

Packages are looked for in `package` beside the file. Run ../vendor.sh once to fill it.
"""

from datetime import timedelta

import humanize


def handler(event, context):
    query = event.get("queryStringParameters") or {}
    lengths = event.get("milliseconds") or [int(query.get("ms", 0))]
    return {"durations": [humanize.naturaldelta(timedelta(milliseconds=ms)) for ms in lengths]}
