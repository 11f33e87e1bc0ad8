//! The event of a batch, as Lambda's event source mapping for SQS sends it.

use super::queue::Queue;
use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// Returns the event of these messages.
pub(super) fn of(queue: &Queue, messages: &[Message]) -> Value {
    let records: Vec<Value> =
        messages.iter().map(|message| record(&queue.arn, &queue.region, message)).collect();
    json!({ "Records": records })
}

fn record(arn: &str, region: &str, message: &Message) -> Value {
    let attributes = message.attributes().into_iter().flatten();
    let mut attributes: Vec<(&str, &str)> =
        attributes.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    attributes.sort_unstable();
    let attributes: Map<String, Value> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let own = message.message_attributes().into_iter().flatten();
    let mut own: Vec<(&String, &MessageAttributeValue)> = own.collect();
    own.sort_unstable_by_key(|(name, _)| *name);
    let own: Map<String, Value> =
        own.into_iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    let mut record = json!({
        "messageId": message.message_id().unwrap_or_default(),
        "receiptHandle": message.receipt_handle().unwrap_or_default(),
        "body": message.body().unwrap_or_default(),
        "attributes": attributes,
        "messageAttributes": own,
        "md5OfBody": message.md5_of_body().unwrap_or_default(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    });
    if let Some(md5) = message.md5_of_message_attributes() {
        record["md5OfMessageAttributes"] = md5.into();
    }
    record
}

fn attribute(value: &MessageAttributeValue) -> Value {
    let mut attribute = Map::new();
    if let Some(text) = value.string_value() {
        attribute.insert("stringValue".to_owned(), text.into());
    }
    if let Some(bytes) = value.binary_value() {
        attribute.insert("binaryValue".to_owned(), STANDARD.encode(bytes.as_ref()).into());
    }
    attribute.insert("stringListValues".to_owned(), json!([]));
    attribute.insert("binaryListValues".to_owned(), json!([]));
    attribute.insert("dataType".to_owned(), value.data_type().into());
    Value::Object(attribute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::{primitives::Blob, types::MessageSystemAttributeName};

    #[test]
    fn a_record_has_what_lambda_sends() {
        let value = |builder: aws_sdk_sqs::types::builders::MessageAttributeValueBuilder| {
            builder.build().unwrap()
        };
        let message = Message::builder()
            .message_id("m-1")
            .receipt_handle("r-1")
            .body("{}")
            .md5_of_body("99914b932bd37a50b983c5e7c90ae93b")
            .md5_of_message_attributes("00")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "2")
            .attributes(MessageSystemAttributeName::MessageGroupId, "g")
            .message_attributes(
                "kind",
                value(MessageAttributeValue::builder().data_type("String").string_value("full")),
            )
            .message_attributes(
                "bytes",
                value(
                    MessageAttributeValue::builder()
                        .data_type("Binary")
                        .binary_value(Blob::new([0xff, 0])),
                ),
            )
            .build();
        let expected = json!({
            "messageId": "m-1",
            "receiptHandle": "r-1",
            "body": "{}",
            "attributes": { "ApproximateReceiveCount": "2", "MessageGroupId": "g" },
            "messageAttributes": {
                "bytes": {
                    "binaryValue": "/wA=",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "Binary",
                },
                "kind": {
                    "stringValue": "full",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                },
            },
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders",
            "awsRegion": "eu-west-1",
            "md5OfMessageAttributes": "00",
        });
        assert_eq!(record("arn:aws:sqs:eu-west-1:1:orders", "eu-west-1", &message), expected);
    }
}
