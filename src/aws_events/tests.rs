//! Events as their services send them, and what becomes of them in either form.

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_000).unwrap()
}

fn convert(form: CloudEvents, event: &Value) -> Converted {
    form.convert(event.to_string().as_bytes(), "eu-west-1", now())
}

/// Returns the only record of an event, in both forms.
fn record(record: &Value) -> (Value, Value) {
    let [v1, legacy] = [CloudEvents::V1, CloudEvents::Legacy].map(|form| {
        match convert(form, &json!({"Records": [record]})) {
            Converted::Records(mut records) if records.len() == 1 => records.remove(0).event,
            other => panic!("{other:?}"),
        }
    });
    (v1, legacy)
}

fn s3(name: &str) -> Value {
    json!({
        "eventSource": "aws:s3", "eventName": name, "eventTime": "2026-01-31T10:00:00.000Z",
        "s3": {
            "bucket": {"name": "photos", "arn": "arn:aws:s3:::photos"},
            "object": {"key": "a.jpg", "size": 3},
        },
    })
}

#[test]
fn objects_of_s3() {
    let data = json!({"key": "a.jpg", "size": 3, "bucket": "photos"});
    let (v1, legacy) = record(&s3("ObjectCreated:Put"));
    assert_eq!(
        v1,
        json!({
            "specversion": "1.0", "id": "1700000000000", "source": "arn:aws:s3:::photos",
            "type": "aws.s3.ObjectCreated.Put", "subject": "a.jpg", "time": "2026-01-31T10:00:00.000Z",
            "datacontenttype": "application/json", "data": data,
        })
    );
    assert_eq!(
        legacy,
        json!({
            "eventTime": "2026-01-31T10:00:00.000Z", "eventID": 1_700_000_000_000_u64,
            "eventType": "aws.s3.ObjectCreated.Put", "source": "arn:aws:s3:::photos", "data": data,
        })
    );
    for (name, kind) in [
        ("ObjectRemoved:*", "aws.s3.ObjectRemoved"),
        ("ObjectRemoved", "aws.s3.ObjectRemoved"),
        ("ReducedRedundancyLostObject", "aws.s3.ReducedRedundancyLostObject"),
        ("s3:ObjectRestore:Completed", "aws.s3.ObjectRestore.Completed"),
    ] {
        assert_eq!(record(&s3(name)).0["type"], kind);
    }
}

#[test]
fn messages_of_queues_and_topics() {
    let queue = "arn:aws:sqs:eu-west-1:1:orders";
    let message = |body: &str| {
        json!({
            "messageId": "m-1", "body": body, "eventSource": "aws:sqs", "eventSourceARN": queue,
            "attributes": {"SentTimestamp": "1545082649183"},
        })
    };
    let (v1, legacy) = record(&message("{\"a\":[1]}"));
    assert_eq!(
        (&v1["type"], &v1["id"], &v1["source"], &v1["data"], &v1["time"]),
        (
            &json!("aws.sqs"),
            &json!("m-1"),
            &json!(queue),
            &json!({"a": [1]}),
            &json!("2018-12-17T21:37:29.183Z")
        )
    );
    assert_eq!(
        legacy,
        json!({
            "eventTime": 1_700_000_000_000_u64, "eventID": "m-1", "eventType": "aws.sqs", "source": queue,
            "data": {"a": [1]},
        })
    );
    let (text, _) = record(&message("no JSON"));
    assert_eq!(
        (&text["data"], &text["datacontenttype"]),
        (&json!("no JSON"), &json!("text/plain"))
    );

    let (v1, _) = record(&json!({
        "EventSource": "aws:sns", "EventSubscriptionArn": "arn:x",
        "Sns": {
            "Type": "Notification", "MessageId": "n-1", "TopicArn": "arn:aws:sns:eu-west-1:1:news",
            "Subject": "hello", "Message": "text", "Timestamp": "2026-01-31T10:00:00.5Z",
        },
    }));
    assert_eq!(
        v1,
        json!({
            "specversion": "1.0", "id": "n-1", "source": "arn:aws:sns:eu-west-1:1:news", "type": "aws.sns",
            "subject": "hello", "time": "2026-01-31T10:00:00.500Z", "datacontenttype": "application/json",
            "data": {"message": "text", "messageId": "n-1", "type": "Notification", "subject": "hello"},
        })
    );
    let (v1, legacy) =
        record(&json!({"eventSource": "aws:ses", "ses": {"mail": {"messageId": "s-1"}}}));
    assert_eq!(
        (&v1["type"], &v1["id"], &v1["source"]),
        (&json!("aws.ses"), &json!("s-1"), &json!("aws.ses"))
    );
    assert_eq!(legacy["data"], json!({"mail": {"messageId": "s-1"}}));
}

#[test]
fn changes_of_tables() {
    let (v1, legacy) = record(&json!({
        "eventID": "c-1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "eventSourceARN": "arn:aws:dynamodb:t",
        "dynamodb": {"SequenceNumber": "11", "ApproximateCreationDateTime": 1_479_499_740.5},
    }));
    assert_eq!(v1["type"], "aws.dynamodb.insert");
    assert_eq!(v1["time"], "2016-11-18T20:09:00.500Z");
    assert_eq!(legacy["eventID"], "c-1");
    assert_eq!(legacy["data"]["SequenceNumber"], "11");
}

#[test]
fn requests_and_events_of_buses() {
    let request = json!({
        "httpMethod": "GET", "path": "/a",
        "requestContext": {"requestId": "r-1", "apiId": "abc", "path": "/prod/a", "requestTimeEpoch": 1_700_000_000_123_u64},
    });
    let Converted::One(v1) = convert(CloudEvents::V1, &request) else { panic!() };
    assert_eq!(v1["source"], "https://abc.execute-api.eu-west-1.amazonaws.com/prod/a");
    assert_eq!(v1["type"], "aws.apigateway.http");
    assert_eq!(v1["time"], "2023-11-14T22:13:20.123Z");
    assert_eq!(v1["data"], request);
    let bus = json!({
        "version": "0", "id": "b-1", "detail-type": "order.paid", "source": "shop", "time": "2026-01-31T10:00:00Z",
        "detail": {"n": 1},
    });
    let Converted::One(v1) = convert(CloudEvents::V1, &bus) else { panic!() };
    assert_eq!(
        v1,
        json!({
            "specversion": "1.0", "id": "b-1", "source": "shop", "type": "order.paid", "time": "2026-01-31T10:00:00Z",
            "datacontenttype": "application/json", "data": {"n": 1},
        })
    );
    assert_eq!(convert(CloudEvents::Legacy, &bus), Converted::Unchanged);
}

#[test]
fn what_is_not_known_stays_as_it_is() {
    for event in [
        json!(null),
        json!([1]),
        json!({"a": 1}),
        json!({"Records": []}),
        json!({"Records": {"eventSource": "aws:s3"}}),
        json!({"httpMethod": "GET", "requestContext": {"elb": {}}}),
        json!({"detail-type": "x"}),
    ] {
        for form in [CloudEvents::V1, CloudEvents::Legacy] {
            assert_eq!(convert(form, &event), Converted::Unchanged, "{event}");
        }
    }
    assert_eq!(CloudEvents::V1.convert(b"no JSON", "", now()), Converted::Unchanged);
    for odd in [json!(7), json!({"eventSource": "aws:other"}), json!({"eventSource": 1})] {
        assert_eq!(record(&odd), (odd.clone(), odd.clone()));
    }
}

#[test]
fn records_are_known_by_what_their_service_takes_back() {
    let item = |record: Value| shapes::item_of(&record).map(|item| (item.id, item.order));
    let sqs =
        |arn: &str| json!({"eventSource": "aws:sqs", "messageId": "m", "eventSourceARN": arn});
    assert_eq!(item(sqs("arn:q")), Some(("m".into(), Order::None)));
    assert_eq!(item(sqs("arn:q.fifo")), Some(("m".into(), Order::Queue)));
    let kinesis = json!({"eventSource": "aws:kinesis", "kinesis": {"sequenceNumber": "4"}});
    assert_eq!(item(kinesis), Some(("4".into(), Order::Stream)));
    assert_eq!(item(json!({"eventSource": "aws:dynamodb", "dynamodb": {}})), None);
    assert_eq!(item(s3("ObjectCreated:Put")), None);
}

#[test]
fn forms_have_names() {
    assert_eq!("1.0".parse(), Ok(CloudEvents::V1));
    assert_eq!("legacy".parse(), Ok(CloudEvents::Legacy));
    assert_eq!("2".parse::<CloudEvents>(), Err("use 1.0 or legacy".to_owned()));
}
