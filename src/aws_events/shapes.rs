//! What the events of each service hold.

use super::{Item, Order};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// What an event tells, whatever form it is written in.
pub(super) struct Facts {
    pub(super) kind: String,
    pub(super) id: Option<String>,
    pub(super) source: String,
    /// The member `eventTime`, as it stands there.
    pub(super) time: Option<String>,
    /// When it happened, by another member.
    pub(super) moment: Option<DateTime<Utc>>,
    pub(super) subject: Option<String>,
    pub(super) data: Value,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn moment(time: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(time.as_str()?).ok().map(Into::into)
}

/// Reads one of `Records`; `None` where its service is none of those that are known.
pub(super) fn of_record(record: &Value) -> Option<Facts> {
    // SNS writes its names with capitals.
    let service = record["eventSource"].as_str().or(record["EventSource"].as_str())?;
    let name = record["eventName"].as_str().unwrap_or_default();
    let facts = |kind: String, id: &Value, source: &Value, data: Value| Facts {
        kind,
        id: text(id),
        source: text(source).unwrap_or_else(|| service.to_owned()),
        time: text(&record["eventTime"]),
        moment: None,
        subject: None,
        data,
    };
    let of_queue = &record["eventSourceARN"];
    match service {
        "aws:s3" => {
            let bucket = &record["s3"]["bucket"];
            let mut object = record["s3"]["object"].as_object().cloned().unwrap_or_default();
            let subject = object.get("key").and_then(text);
            object.insert("bucket".into(), bucket["name"].clone());
            let object = Value::Object(object);
            Some(Facts {
                subject,
                ..facts(s3_kind(name), &record["eventID"], &bucket["arn"], object)
            })
        }
        "aws:sqs" => {
            let body = record["body"].as_str().unwrap_or_default();
            let data = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
            let sent = record["attributes"]["SentTimestamp"].as_str();
            let moment = sent.and_then(|text| DateTime::from_timestamp_millis(text.parse().ok()?));
            Some(Facts { moment, ..facts("aws.sqs".into(), &record["messageId"], of_queue, data) })
        }
        "aws:ses" => {
            let mail = &record["ses"]["mail"];
            let source = json!("aws.ses");
            let facts = facts("aws.ses".into(), &mail["messageId"], &source, record["ses"].clone());
            Some(Facts { moment: moment(&mail["timestamp"]), ..facts })
        }
        "aws:sns" => {
            let sns = &record["Sns"];
            let data = json!({
                "message": sns["Message"],
                "messageId": sns["MessageId"],
                "type": sns["Type"],
                "subject": sns["Subject"],
            });
            let (moment, subject) = (moment(&sns["Timestamp"]), text(&sns["Subject"]));
            let facts = facts("aws.sns".into(), &sns["MessageId"], &sns["TopicArn"], data);
            Some(Facts { moment, subject, ..facts })
        }
        "aws:dynamodb" => {
            let change = &record["dynamodb"];
            let created = change["ApproximateCreationDateTime"].as_f64();
            let moment =
                created.and_then(|time| DateTime::from_timestamp_millis((time * 1000.0) as i64));
            let kind = format!("aws.dynamodb.{}", name.to_lowercase());
            Some(Facts { moment, ..facts(kind, &record["eventID"], of_queue, change.clone()) })
        }
        _ => None,
    }
}

/// Returns the type of an event of S3's: of `ObjectCreated:Put` the parts, of which `*` is none.
fn s3_kind(name: &str) -> String {
    let parts = name.strip_prefix("s3:").unwrap_or(name).split(':');
    let parts = parts.filter(|part| !part.is_empty() && *part != "*");
    ["aws", "s3"].into_iter().chain(parts).collect::<Vec<_>>().join(".")
}

/// Reads a request as API Gateway's REST APIs pass it on.
pub(super) fn of_request(event: &Map<String, Value>, region: &str) -> Option<Facts> {
    event.get("httpMethod")?;
    let context = event.get("requestContext")?;
    let api = context["apiId"].as_str()?;
    let path = context["path"].as_str().unwrap_or_default();
    Some(Facts {
        kind: "aws.apigateway.http".into(),
        id: text(&context["requestId"]),
        source: format!("https://{api}.execute-api.{region}.amazonaws.com{path}"),
        time: None,
        moment: context["requestTimeEpoch"].as_i64().and_then(DateTime::from_timestamp_millis),
        subject: None,
        data: Value::Object(event.clone()),
    })
}

/// Reads an event of EventBridge's, which has nearly the same members under other names.
pub(super) fn of_bus(event: &Map<String, Value>) -> Option<Facts> {
    let member = |name: &str| event.get(name).and_then(text);
    Some(Facts {
        kind: member("detail-type")?,
        id: member("id"),
        source: member("source")?,
        time: member("time"),
        moment: None,
        subject: None,
        data: event.get("detail")?.clone(),
    })
}

/// Returns what the platform knows a record by, where it takes the failure of a part of them.
pub(super) fn item_of(record: &Value) -> Option<Item> {
    let (id, order) = match record["eventSource"].as_str()? {
        "aws:sqs" => {
            let arn = record["eventSourceARN"].as_str().unwrap_or_default();
            (&record["messageId"], if arn.ends_with(".fifo") { Order::Queue } else { Order::None })
        }
        "aws:kinesis" => (&record["kinesis"]["sequenceNumber"], Order::Stream),
        "aws:dynamodb" => (&record["dynamodb"]["SequenceNumber"], Order::Stream),
        _ => return None,
    };
    text(id).map(|id| Item { id, order })
}
