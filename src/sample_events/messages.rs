//! The plainest event, messages of queues and topics, and mails that come in.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, COUNT, ID, REGION, TIME, md5, milliseconds},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "hello",
        &["plain"],
        "a plain object with a name",
        &[Field::new("name", Kind::Text, &["world"], "who is greeted")],
        |values| Ok(json!({"name": values.text("name")})),
    ),
    Sample::new("sqs", &[], "messages of a queue of SQS", SQS, sqs),
    Sample::new("sns", &[], "a message of a topic of SNS", SNS, sns),
    Sample::new("ses", &[], "a mail that SES has received", SES, ses),
];

const ATTRIBUTE: Field =
    Field::new("attribute", Kind::Pairs, &[], "an attribute of the message, a text");

const SQS: &[Field] = &[
    Field::new("body", Kind::Text, &[r#"{"order":1}"#], "the message's body"),
    Field::new("queue", Kind::Text, &["my-queue"], "the queue; .fifo at its end for one in order"),
    Field::new("group", Kind::Text, &["group-1"], "the message group, in a queue with an order"),
    ATTRIBUTE,
    COUNT,
    ID,
    REGION,
    ACCOUNT,
    TIME,
];

fn sqs(values: &Values) -> Result<Value, String> {
    let (body, queue) = (values.text("body"), values.text("queue"));
    let sent = values.time("time").timestamp_millis();
    let attributes: Map<String, Value> = values
        .pairs("attribute")
        .iter()
        .map(|(name, value)| {
            let attribute = json!({
                "stringValue": value,
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            });
            (name.clone(), attribute)
        })
        .collect();
    let records = (0..values.number("count")).map(|number| {
        let id = values.id(number);
        let mut system = Map::new();
        system.insert("ApproximateReceiveCount".into(), json!("1"));
        system.insert("SentTimestamp".into(), json!(sent.to_string()));
        if queue.ends_with(".fifo") {
            system.insert(
                "SequenceNumber".into(),
                json!(format!(
                    "{:020}",
                    18_849_496_460_467_690_000_u128 + u128::from(number.unsigned_abs())
                )),
            );
            system.insert("MessageGroupId".into(), json!(values.text("group")));
        }
        system.insert("SenderId".into(), json!(values.text("account")));
        if queue.ends_with(".fifo") {
            system.insert("MessageDeduplicationId".into(), json!(md5(&id)));
        }
        system.insert("ApproximateFirstReceiveTimestamp".into(), json!((sent + 1).to_string()));
        json!({
            "messageId": id,
            "receiptHandle": format!("receipt-{id}"),
            "body": body,
            "attributes": system,
            "messageAttributes": attributes,
            "md5OfBody": md5(body),
            "eventSource": "aws:sqs",
            "eventSourceARN": values.arn("sqs", queue),
            "awsRegion": values.text("region"),
        })
    });
    Ok(json!({ "Records": records.collect::<Vec<_>>() }))
}

const SNS: &[Field] = &[
    Field::new("message", Kind::Text, &["hello"], "the message"),
    Field::new("subject", Kind::Text, &[], "the message's subject"),
    Field::new("topic", Kind::Text, &["my-topic"], "the topic"),
    ATTRIBUTE,
    ID,
    REGION,
    ACCOUNT,
    TIME,
];

fn sns(values: &Values) -> Result<Value, String> {
    let topic = values.arn("sns", values.text("topic"));
    let subscription = format!("{topic}:00000000-0000-4000-8000-000000000002");
    let host = format!("https://sns.{}.amazonaws.com", values.text("region"));
    let attributes: Map<String, Value> = values
        .pairs("attribute")
        .iter()
        .map(|(name, value)| (name.clone(), json!({"Type": "String", "Value": value})))
        .collect();
    Ok(json!({"Records": [{
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "EventSource": "aws:sns",
        "Sns": {
            "SignatureVersion": "1",
            "Timestamp": milliseconds(values.time("time")),
            "Signature": "sample",
            "SigningCertUrl": format!("{host}/SimpleNotificationService-sample.pem"),
            "MessageId": values.text("id"),
            "Message": values.text("message"),
            "MessageAttributes": attributes,
            "Type": "Notification",
            "UnsubscribeUrl": format!("{host}/?Action=Unsubscribe&SubscriptionArn={subscription}"),
            "TopicArn": topic,
            "Subject": values.optional("subject"),
        },
    }]}))
}

const SES: &[Field] = &[
    Field::new("from", Kind::Text, &["sender@example.com"], "who sends the mail"),
    Field::new("to", Kind::Texts, &["recipient@example.com"], "who it goes to"),
    Field::new("subject", Kind::Text, &["hello"], "its subject"),
    Field::new("id", Kind::Text, &["sample0mail0id0000000000000000000001"], "its id"),
    Field::new("function", Kind::Text, &["my-function"], "the function that the rule names"),
    REGION,
    ACCOUNT,
    TIME,
];

fn ses(values: &Values) -> Result<Value, String> {
    let time = milliseconds(values.time("time"));
    let date = values.time("time").to_rfc2822();
    let (from, to, id) = (values.text("from"), values.texts("to"), values.text("id"));
    let subject = values.text("subject");
    let message_id = format!("<{id}@example.com>");
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    let passed = json!({"status": "PASS"});
    let function = format!("function:{}", values.text("function"));
    Ok(json!({"Records": [{
        "eventSource": "aws:ses",
        "eventVersion": "1.0",
        "ses": {
            "mail": {
                "timestamp": time,
                "source": from,
                "messageId": id,
                "destination": to,
                "headersTruncated": false,
                "headers": [
                    header("Return-Path", &format!("<{from}>")),
                    header("From", from),
                    header("To", &to.join(", ")),
                    header("Subject", subject),
                    header("Date", &date),
                    header("Message-ID", &message_id),
                    header("MIME-Version", "1.0"),
                    header("Content-Type", "text/plain; charset=UTF-8"),
                ],
                "commonHeaders": {
                    "returnPath": from,
                    "from": [from],
                    "date": date,
                    "to": to,
                    "messageId": message_id,
                    "subject": subject,
                },
            },
            "receipt": {
                "timestamp": time,
                "processingTimeMillis": 100,
                "recipients": to,
                "spamVerdict": passed,
                "virusVerdict": passed,
                "spfVerdict": passed,
                "dkimVerdict": passed,
                "dmarcVerdict": passed,
                "action": {
                    "type": "Lambda",
                    "functionArn": values.arn("lambda", &function),
                    "invocationType": "Event",
                },
            },
        },
    }]}))
}
