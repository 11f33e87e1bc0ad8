# newrelic: a wrapped function in its mode for Lambda, whose record has the transaction
# set: NEW_RELIC_SERVERLESS_MODE_ENABLED=true
# set: NEW_RELIC_ACCOUNT_ID=1
# set: NEW_RELIC_TRUSTED_ACCOUNT_KEY=1
# set: NEW_RELIC_PRIMARY_APPLICATION_ID=1
# set: NEW_RELIC_DISTRIBUTED_TRACING_ENABLED=true
import base64
import contextlib
import gzip
import io
import json
import newrelic.agent

newrelic.agent.initialize()
newrelic.agent.register_application(timeout=10)


@newrelic.agent.background_task()
def wrapped(event, context):
    with newrelic.agent.FunctionTrace("work"):
        return {"call": event["call"]}


def handler(event, context):
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink):
        answer = wrapped(event, context)
    records = [json.loads(line) for line in sink.getvalue().splitlines() if "NR_LAMBDA_MONITORING" in line]
    return [answer, [sorted(json.loads(gzip.decompress(base64.b64decode(record[-1])))) for record in records]]
