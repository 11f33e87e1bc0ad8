# requests, requests-toolbelt: sessions, JSON, forms, files, retries, streams, time limits, TLS
import os
import sys
import requests
from requests.adapters import HTTPAdapter
from requests_toolbelt import MultipartEncoder
from urllib3.util import Retry

API, TLS = os.environ["API_URL"], os.environ["API_TLS_URL"]


def handler(event, context):
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(3, backoff_factor=0.01, status_forcelist=[503])))
        session.headers["authorization"] = "Bearer t"
        hello = session.get(f"{API}/hello", params={"name": "ä"}).json()
        posted = session.post(f"{API}/echo", json={"n": 1})
        form = session.post(f"{API}/echo", data=MultipartEncoder({"file": ("a.txt", b"content", "text/plain")}))
        form = session.post(f"{API}/echo", files={"file": ("a.txt", b"content")}).json()["type"]
        flaky = session.get(f"{API}/flaky/requests-{sys.executable.__hash__()}-{event['call']}").status_code
        lines = list(session.get(f"{API}/lines", stream=True).iter_lines(decode_unicode=True))
        try:
            session.get(f"{API}/slow", timeout=0.1)
        except requests.RequestException as error:
            late = type(error).__name__
        missing = session.get(f"{API}/status/404")
        return [
            hello,
            posted.json(),
            posted.cookies.get_dict(),
            form,
            flaky,
            lines,
            late,
            missing.ok,
            session.get(f"{API}/redirect").history[0].status_code,
            len(session.get(f"{API}/gzip").json()["packed"]),
            session.get(f"{TLS}/hello").json(),
            session.get(f"{API}/basic", auth=("user", "pass")).json(),
        ]
