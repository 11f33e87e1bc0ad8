# urllib3, httplib2: pools, retries, streams, multipart bodies, TLS
import json
import os
import httplib2
import urllib3

API, TLS = os.environ["API_URL"], os.environ["API_TLS_URL"]


def handler(event, context):
    pool = urllib3.PoolManager(ca_certs=os.environ["AUTHORITY_FILE"])
    posted = pool.request("POST", f"{API}/echo", fields={"a": "b"}).json()["type"]
    streamed = b"".join(pool.request("GET", f"{API}/lines", preload_content=False).stream(4)).decode()
    try:
        pool.request("GET", f"{API}/slow", timeout=0.1, retries=False)
    except urllib3.exceptions.HTTPError as error:
        late = type(error).__name__
    _, content = httplib2.Http().request(f"{API}/hello")
    return [
        pool.request("GET", f"{API}/hello").json(),
        posted,
        streamed,
        late,
        pool.request("GET", f"{TLS}/hello").json(),
        json.loads(content),
    ]
