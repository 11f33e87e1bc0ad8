"""Works off a batch of an SQS queue.

The ids of messages that failed are reported back, so that only those are delivered again; without that, one failure
repeats the whole batch. The queue's event source mapping needs `ReportBatchItemFailures` for it.
"""

import json
import logging

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def handler(event, context):
    failures = []
    for record in event.get("Records", []):
        try:
            ship(record)
        # Whatever goes wrong with one message must not lose the others.
        except Exception as error:
            logger.error("message %s: %s", record["messageId"], error)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def ship(record):
    order = json.loads(record["body"])
    if not isinstance(order["quantity"], int) or order["quantity"] < 1:
        raise ValueError(f"order {order['order']} has no valid quantity")
    logger.info("order %s: %d on the way", order["order"], order["quantity"])
