# sentry-sdk, elastic-apm: errors, transactions and those of a wrapped handler reach a server
# set: ELASTIC_APM_SERVER_URL={API_URL}/apm
# set: ELASTIC_APM_CENTRAL_CONFIG=false
# set: ELASTIC_APM_CLOUD_PROVIDER=none
# set: ELASTIC_APM_LOG_LEVEL=off
# set: AWS_LAMBDA_FUNCTION_NAME=
import json
import os
import urllib.request
import elasticapm
import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration

PLACE = str(10000 + os.getpid() % 50000)
sentry_sdk.init(
    os.environ["SENTRY_DSN"].removesuffix("1") + PLACE,
    traces_sample_rate=1.0,
    _experiments={"transport_compression_algo": "gzip"},
    default_integrations=False,
    integrations=[LoggingIntegration()],
)
apm = elasticapm.Client(service_name="py", api_request_time="1s")


def handler(event, context):
    mark = f"sentry-{PLACE}-{event['call']}"
    with sentry_sdk.start_transaction(name=mark), sentry_sdk.start_span(name="inner"):
        sentry_sdk.set_tag("kind", "cat")
        try:
            raise ValueError(mark)
        except ValueError:
            sentry_sdk.capture_exception()
            apm.capture_exception()
    sentry_sdk.flush(5)
    apm.begin_transaction("t")
    apm.end_transaction(mark, "ok")
    apm._transport.flush()

    def taken(place):
        return json.load(urllib.request.urlopen(f"{os.environ['API_URL']}/taken/{place}"))

    envelopes = [text for text in taken("api") if mark in text]
    return [
        len(envelopes),
        any('"ValueError"' in text for text in envelopes),
        any('"transaction"' in text and "inner" in text for text in envelopes),
        any(mark in text for text in taken("apm")),
    ]
