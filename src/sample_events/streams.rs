//! Events of streams: Kinesis, Firehose, and lines of CloudWatch's logs.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, COUNT, ID, REGION, TIME, base64, epoch_seconds},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new("kinesis", &[], "records of a stream of Kinesis", KINESIS, kinesis),
    Sample::new(
        "firehose",
        &["firehose-transformation"],
        "records that Firehose has transformed",
        FIREHOSE,
        firehose,
    ),
    Sample::new(
        "cloudwatch-logs",
        &["logs", "awslogs"],
        "lines of a log group, packed as a subscription has them",
        LOGS,
        logs,
    ),
];

const DATA: Field =
    Field::new("data", Kind::Text, &["hello"], "what a record holds; it is encoded as base64");

const KINESIS: &[Field] = &[
    DATA,
    Field::new("stream", Kind::Text, &["my-stream"], "the stream"),
    Field::new("partition-key", Kind::Text, &["key-1"], "the partition key"),
    COUNT,
    REGION,
    ACCOUNT,
    TIME,
];

fn kinesis(values: &Values) -> Result<Value, String> {
    let stream = values.arn("kinesis", &format!("stream/{}", values.text("stream")));
    let role = values.global_arn("iam", "", "role/lambda-role");
    let records = (0..values.number("count")).map(|number| {
        let sequence = format!("4954{:052}", 1 + number);
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": values.text("partition-key"),
                "sequenceNumber": sequence,
                "data": base64(values.text("data")),
                "approximateArrivalTimestamp": epoch_seconds(values.time("time")),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000000:{sequence}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role,
            "awsRegion": values.text("region"),
            "eventSourceARN": stream,
        })
    });
    Ok(json!({ "Records": records.collect::<Vec<_>>() }))
}

const FIREHOSE: &[Field] = &[
    DATA,
    Field::new("stream", Kind::Text, &["my-delivery-stream"], "the delivery stream"),
    COUNT,
    ID,
    REGION,
    ACCOUNT,
    TIME,
];

fn firehose(values: &Values) -> Result<Value, String> {
    let records = (0..values.number("count")).map(|number| {
        json!({
            "recordId": format!("4954{:052}", 1 + number),
            "approximateArrivalTimestamp": values.time("time").timestamp_millis(),
            "data": base64(values.text("data")),
        })
    });
    let stream = format!("deliverystream/{}", values.text("stream"));
    Ok(json!({
        "invocationId": values.text("id"),
        "deliveryStreamArn": values.arn("firehose", &stream),
        "region": values.text("region"),
        "records": records.collect::<Vec<_>>(),
    }))
}

const LOGS: &[Field] = &[
    Field::new("message", Kind::Texts, &["hello"], "a line of the log"),
    Field::new("group", Kind::Text, &["/aws/lambda/my-function"], "the log group"),
    Field::new("stream", Kind::Text, &["2026/01/01/[$LATEST]sample"], "the log stream"),
    Field::new("filter", Kind::Text, &["my-filter"], "the subscription filter"),
    ACCOUNT,
    TIME,
];

fn logs(values: &Values) -> Result<Value, String> {
    let events = values.texts("message").iter().enumerate().map(|(number, message)| {
        json!({
            "id": format!("{:056}", 1 + number),
            "timestamp": values.time("time").timestamp_millis(),
            "message": message,
        })
    });
    let content = json!({
        "messageType": "DATA_MESSAGE",
        "owner": values.text("account"),
        "logGroup": values.text("group"),
        "logStream": values.text("stream"),
        "subscriptionFilters": [values.text("filter")],
        "logEvents": events.collect::<Vec<_>>(),
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(content.to_string().as_bytes()).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| format!("cannot pack the lines: {error}"))?;
    Ok(json!({"awslogs": {"data": base64(packed)}}))
}
