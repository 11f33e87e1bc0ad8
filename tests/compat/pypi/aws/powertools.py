# aws-lambda-powertools: logger, metrics, tracer, event handler, batches, parser, parameters, idempotency
# needs: aws
# set: POWERTOOLS_SERVICE_NAME=pets
# set: POWERTOOLS_METRICS_NAMESPACE=pets
# set: POWERTOOLS_TRACE_DISABLED=true
import io
import json
import os
import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.parser import BaseModel, parse
from aws_lambda_powertools.utilities.parser.envelopes import EventBridgeEnvelope
from aws_lambda_powertools.utilities.typing import LambdaContext

stream = io.StringIO()
logger, metrics, tracer = Logger(stream=stream, location=False), Metrics(), Tracer()
app = APIGatewayHttpResolver(enable_validation=True)
calls = []


class Order(BaseModel):
    id: int


@app.get("/pets/<id>")
@tracer.capture_method
def pet(id: int) -> dict:
    return {"id": id}


@app.get("/gone")
def gone():
    raise NotFoundError("gone")


def handler(event, context: LambdaContext):
    boto3.client("ssm").put_parameter(Name="/py/a", Value='{"n": 1}', Type="String", Overwrite=True)
    dynamo = boto3.client("dynamodb")
    try:
        dynamo.create_table(
            TableName="py-idem",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    except dynamo.exceptions.ResourceInUseException:
        pass
    stream.seek(0)
    stream.truncate()
    logger.append_keys(order=1)
    logger.info({"message": "hello"}, extra={"more": [1]})
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("failed")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    metrics.add_metric("count", MetricUnit.Count, 1)
    emf = metrics.serialize_metric_set()
    metrics.clear_metrics()
    calls.clear()
    config = IdempotencyConfig()
    config.register_lambda_context(context)

    @idempotent_function(
        data_keyword_argument="order", persistence_store=DynamoDBPersistenceLayer("py-idem"), config=config
    )
    def pay(order):
        calls.append(order)
        return {"paid": len(calls)}

    order = {"id": f"{os.getpid()}-{event['call']}"}
    paid = [pay(order=order), pay(order=order)]

    def work(record):
        if record.body == "bad":
            raise ValueError

    batch = {
        "Records": [
            {
                "messageId": str(n),
                "body": body,
                "receiptHandle": "r",
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for n, body in enumerate(["good", "bad"])
        ]
    }
    failures = process_partial_response(batch, work, BatchProcessor(EventType.SQS), context)
    envelope = {
        "version": "0",
        "id": "i",
        "source": "s",
        "account": "1",
        "time": "2026-01-01T00:00:00Z",
        "region": "r",
        "resources": [],
        "detail-type": "t",
        "detail": {"id": "7"},
    }

    def ask(path):
        http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1", "userAgent": ""}
        reply = app.resolve(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": "",
                "headers": {},
                "requestContext": {"http": http, "stage": "$default", "requestId": "r"},
            },
            context,
        )
        return [reply["statusCode"], reply["body"]]

    return [
        [(line["level"], line["message"], line.get("order"), line.get("exception_name")) for line in lines],
        emf["count"],
        emf["service"],
        ask("/pets/7"),
        ask("/gone"),
        ask("/pets/x")[0],
        paid,
        failures,
        parse(envelope, model=Order, envelope=EventBridgeEnvelope).id,
        parameters.get_parameter("/py/a", transform="json"),
    ]
