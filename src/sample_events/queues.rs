//! Messages of brokers: Kafka, Amazon MQ, IoT.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, COUNT, REGION, TIME, base64, numbered},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "kafka",
        &["msk"],
        "records of a topic of Kafka, of MSK or one's own",
        KAFKA,
        kafka,
    ),
    Sample::new("mq", &["amazon-mq"], "messages of Amazon MQ: ActiveMQ or RabbitMQ", MQ, mq),
    Sample::new("iot", &["iot-rule"], "what a rule of AWS IoT selects of a message", IOT, iot),
];

const KAFKA: &[Field] = &[
    Field::new("value", Kind::Text, &["hello"], "a record's value; it is encoded as base64"),
    Field::new("key", Kind::Text, &[], "a record's key; it is encoded as base64"),
    Field::new("header", Kind::Pairs, &[], "a header of a record"),
    Field::new("topic", Kind::Text, &["my-topic"], "the topic"),
    Field::new("partition", Kind::Number(0, 9999), &["0"], "the partition"),
    Field::new("offset", Kind::Number(0, i64::MAX / 2), &["15"], "the first record's offset"),
    Field::new("source", Kind::Choice(&["msk", "self-managed"]), &["msk"], "msk or self-managed"),
    Field::new("cluster", Kind::Text, &["my-cluster"], "the cluster, of MSK"),
    COUNT,
    REGION,
    ACCOUNT,
    TIME,
];

fn kafka(values: &Values) -> Result<Value, String> {
    let (topic, partition) = (values.text("topic"), values.number("partition"));
    let headers = values.pairs("header").iter().map(|(name, value)| {
        // Bytes, as numbers.
        json!({ name.clone(): value.as_bytes() })
    });
    let headers: Vec<Value> = headers.collect();
    let records = (0..values.number("count")).map(|number| {
        let mut record = Map::new();
        record.insert("topic".into(), json!(topic));
        record.insert("partition".into(), json!(partition));
        record.insert("offset".into(), json!(values.number("offset") + number));
        record.insert("timestamp".into(), json!(values.time("time").timestamp_millis()));
        record.insert("timestampType".into(), json!("CREATE_TIME"));
        if let Some(key) = values.optional("key") {
            record.insert("key".into(), json!(base64(key)));
        }
        record.insert("value".into(), json!(base64(values.text("value"))));
        record.insert("headers".into(), json!(headers));
        Value::Object(record)
    });
    let records = json!({ format!("{topic}-{partition}"): records.collect::<Vec<_>>() });
    let (cluster, region) = (values.text("cluster"), values.text("region"));
    if values.text("source") == "self-managed" {
        return Ok(json!({
            "eventSource": "SelfManagedKafka",
            "bootstrapServers": "broker-1.example.com:9092,broker-2.example.com:9092",
            "records": records,
        }));
    }
    let id = "00000000-0000-4000-8000-000000000001-1";
    Ok(json!({
        "eventSource": "aws:kafka",
        "eventSourceArn": values.arn("kafka", &format!("cluster/{cluster}/{id}")),
        "bootstrapServers": format!(
            "b-1.{cluster}.sample.c1.kafka.{region}.amazonaws.com:9092,b-2.{cluster}.sample.c1.kafka.{region}.amazonaws.com:9092"
        ),
        "records": records,
    }))
}

const MQ: &[Field] = &[
    Field::new(
        "broker",
        Kind::Choice(&["activemq", "rabbitmq"]),
        &["activemq"],
        "activemq or rabbitmq",
    ),
    Field::new("data", Kind::Text, &["hello"], "the message; it is encoded as base64"),
    Field::new("queue", Kind::Text, &["my-queue"], "the queue"),
    COUNT,
    REGION,
    ACCOUNT,
    TIME,
];

fn mq(values: &Values) -> Result<Value, String> {
    let id = "b-00000000-0000-4000-8000-000000000001";
    let broker = values.arn("mq", &format!("broker:my-broker:{id}"));
    let (queue, data, time) = (values.text("queue"), values.text("data"), values.time("time"));
    if values.text("broker") == "rabbitmq" {
        let message = json!({
            "basicProperties": {
                "contentType": "text/plain",
                "contentEncoding": null,
                "headers": {},
                "deliveryMode": 1,
                "priority": 0,
                "correlationId": null,
                "replyTo": null,
                "expiration": "60000",
                "messageId": null,
                "timestamp": time.format("%b %-d, %Y, %-I:%M:%S %p").to_string(),
                "type": null,
                "userId": "sample-user",
                "appId": null,
                "clusterId": null,
                "bodySize": data.len(),
            },
            "redelivered": false,
            "data": base64(data),
        });
        let messages = vec![message; usize::try_from(values.number("count")).unwrap_or(1)];
        return Ok(json!({
            "eventSource": "aws:rmq",
            "eventSourceArn": broker,
            "rmqMessagesByQueue": { format!("{queue}::/"): messages },
        }));
    }
    let messages = (0..values.number("count")).map(|number| {
        json!({
            "messageID": numbered("ID:b-sample-1.mq.example.com-1-1:1:1:1:1", number),
            "messageType": "jms/text-message",
            "deliveryMode": 1,
            "replyTo": null,
            "type": null,
            "expiration": "60000",
            "priority": 4,
            "correlationId": null,
            "redelivered": false,
            "destination": {"physicalName": queue},
            "data": base64(data),
            "timestamp": time.timestamp_millis(),
            "brokerInTime": time.timestamp_millis(),
            "brokerOutTime": time.timestamp_millis() + 1,
            "properties": {},
        })
    });
    Ok(json!({
        "eventSource": "aws:mq",
        "eventSourceArn": broker,
        "messages": messages.collect::<Vec<_>>(),
    }))
}

const IOT: &[Field] = &[
    Field::new(
        "payload",
        Kind::Json,
        &[r#"{"temperature":21.5}"#],
        "the message, as SELECT * has it",
    ),
    Field::new("topic", Kind::Text, &[], "the topic, for rules that select topic() AS topic"),
    Field::new(
        "client",
        Kind::Text,
        &[],
        "the client, for rules that select clientid() AS clientId",
    ),
];

fn iot(values: &Values) -> Result<Value, String> {
    let mut payload = values.json("payload");
    for (field, member) in [("topic", "topic"), ("client", "clientId")] {
        let Some(text) = values.optional(field) else { continue };
        let Some(members) = payload.as_object_mut() else {
            return Err(format!("--{field} needs a --payload that is an object"));
        };
        members.insert(member.to_owned(), json!(text));
    }
    Ok(payload)
}
