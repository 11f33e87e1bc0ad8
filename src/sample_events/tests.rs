//! Every sample event: its options, its shape, and what the rest of the product makes of it.

use super::*;
use crate::aws_events::{CloudEvents, Converted};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::DateTime;
use flate2::read::GzDecoder;
use serde_json::json;
use std::{collections::HashSet, io::Read};

fn made(text: &str) -> Value {
    named(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Returns the events that a function is given in the place of this one.
fn converted(text: &str) -> Vec<Value> {
    let event = made(text).to_string();
    let now = DateTime::from_timestamp_millis(0).unwrap();
    match CloudEvents::V1.convert(event.as_bytes(), "us-east-1", now) {
        Converted::Unchanged => Vec::new(),
        Converted::One(event) => vec![event],
        Converted::Records(records) => records.into_iter().map(|record| record.event).collect(),
    }
}

#[test]
fn every_sample_is_made_of_its_defaults_and_of_each_of_its_words() {
    let mut names = HashSet::new();
    for sample in samples() {
        for name in sample.aliases.iter().chain([&sample.name]) {
            assert!(names.insert(*name), "{name} names two samples");
            assert!(super::sample(name).is_ok());
        }
        let default = sample.make(&[]).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(sample.make(&[]).unwrap(), default, "{} is the same each time", sample.name);
        let mut fields = HashSet::new();
        for field in sample.fields {
            assert!(fields.insert(field.name), "{} {}", sample.name, field.name);
            assert!(!field.about.is_empty());
            let Kind::Choice(words) = field.kind else { continue };
            for word in words {
                let given = [(field.name.to_owned(), (*word).to_owned())];
                let event = sample.make(&given);
                assert!(event.is_ok(), "{} {} {word}: {event:?}", sample.name, field.name);
                assert!(
                    field.about.contains(word) || field.name == "previous",
                    "{} {} {word}",
                    sample.name,
                    field.name
                );
            }
        }
    }
}

#[test]
fn every_option_but_those_of_other_cases_changes_its_event() {
    for sample in samples() {
        for field in sample.fields {
            let value = match field.kind {
                Kind::Choice(_) => continue,
                Kind::Text | Kind::Texts => "other",
                Kind::Pairs => "name=other",
                Kind::Number(..) => "404",
                Kind::Json | Kind::Object => r#"{"id":"other"}"#,
                Kind::Time => "2030-01-01T00:00:00Z",
                Kind::Flag => "true",
            };
            let given = (field.name.to_owned(), value.to_owned());
            let more: &[(&str, &str)] = match (sample.name, field.name) {
                ("sqs", "group") => &[("queue", "a.fifo")],
                ("dynamodb", "key") => &[("new", r#"{"id":"1","other":"2"}"#)],
                ("cognito", "group") => &[("trigger", "pre-token")],
                ("custom-resource", "physical-id" | "old-properties") => &[("request", "Update")],
                ("cloudfront", "status") => &[("event", "viewer-response")],
                ("websocket", "query" | "header") => &[("action", "connect")],
                // A body is no part of what an authorizer is asked.
                ("authorizer-v1" | "authorizer-v2", "body") => continue,
                _ => &[],
            };
            let more: Vec<_> =
                more.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let without = sample.make(&more).unwrap();
            let with = sample.make(&[more, vec![given]].concat());
            let with = with.unwrap_or_else(|error| panic!("{}: {error}", sample.name));
            let unseen = ["region", "account"].contains(&field.name);
            assert!(with != without || unseen, "{} --{} changes nothing", sample.name, field.name);
        }
    }
}

#[test]
fn what_does_not_exist_is_told_with_the_nearest_name() {
    let told = |text: &str| named(text).unwrap_err();
    assert_eq!(
        told("dynamdb"),
        "there is no sample event 'dynamdb': did you mean 'dynamodb'? 'trine event list' shows them all"
    );
    assert_eq!(told("x"), "there is no sample event 'x': 'trine event list' shows them all");
    assert_eq!(
        told("s3?bucket=b&buckte=c"),
        "the event 's3' has no option --buckte: did you mean --bucket? It has --action, --bucket, --key, --size, \
         --version, --count, --region, --account, --time"
    );
    assert_eq!(told("s3?count=0"), "--count takes a whole number from 1 to 10000, not \"0\"");
}

#[test]
fn options_in_one_text_are_decoded() {
    let event = made("s3?bucket=b&key=a%20b%26c.txt&time=2026-03-01T01:00:00+01:00");
    let record = &event["Records"][0];
    assert_eq!(record["s3"]["object"]["key"], "a+b%26c.txt");
    assert_eq!(
        record["s3"]["bucket"],
        json!({
            "name": "b", "ownerIdentity": {"principalId": "A3NL1KOZZKExample"}, "arn": "arn:aws:s3:::b",
        })
    );
    assert_eq!(record["eventTime"], "2026-03-01T00:00:00.000Z");
    assert_eq!(made("alb?multi-value")["multiValueHeaders"]["accept"], json!(["*/*"]));
}

#[test]
fn events_become_cloudevents_where_the_product_knows_their_service() {
    for (text, kind, source, id) in [
        ("s3?action=copy&bucket=b", "aws.s3.ObjectCreated.Copy", "arn:aws:s3:::b", None),
        (
            "s3?action=delete-marker",
            "aws.s3.ObjectRemoved.DeleteMarkerCreated",
            "arn:aws:s3:::my-bucket",
            None,
        ),
        ("sqs?queue=q&id=m", "aws.sqs", "arn:aws:sqs:us-east-1:012345678912:q", Some("m")),
        ("sns?topic=t&id=n", "aws.sns", "arn:aws:sns:us-east-1:012345678912:t", Some("n")),
        ("ses?id=s", "aws.ses", "aws.ses", Some("s")),
        (
            "dynamodb?id=c-1&action=insert",
            "aws.dynamodb.insert",
            "arn:aws:dynamodb:us-east-1:012345678912:table/orders/stream/2026-01-01T00:00:00.000",
            Some("c1"),
        ),
        (
            "apigw-v1?id=r&path=/a",
            "aws.apigateway.http",
            "https://api0000001.execute-api.us-east-1.amazonaws.com/prod/a",
            Some("r"),
        ),
        ("eventbridge?detail-type=paid&source=shop&id=b", "paid", "shop", Some("b")),
        ("scheduled?id=t", "Scheduled Event", "aws.events", Some("t")),
    ] {
        let events = converted(text);
        let [event] = events.as_slice() else { panic!("{text}: {events:?}") };
        assert_eq!((&event["type"], &event["source"]), (&json!(kind), &json!(source)), "{text}");
        if let Some(id) = id {
            assert_eq!(event["id"], id, "{text}");
        }
        let time = event["time"].as_str().unwrap();
        assert!(time.starts_with("2026-01-01T00:00:00"), "{text}: {time}");
    }
    assert_eq!(converted("sqs?count=3&body={\"a\":1}")[2]["data"], json!({"a": 1}));
    assert_eq!(converted("sns?message=m&subject=s")[0]["subject"], "s");
    assert!(converted("apigw-v2").is_empty() && converted("alb").is_empty());
}

#[test]
fn items_of_tables_have_types() {
    let event = made(r#"dynamodb?new={"id":7,"a":[null,true,{"b":"c"}]}"#);
    let change = &event["Records"][0]["dynamodb"];
    assert_eq!(change["Keys"], json!({"id": {"N": "7"}}));
    assert_eq!(
        change["NewImage"]["a"],
        json!({"L": [{"NULL": true}, {"BOOL": true}, {"M": {"b": {"S": "c"}}}]})
    );
    assert_eq!(change["OldImage"]["status"], json!({"S": "open"}));
    assert_eq!(made("dynamodb?view=keys")["Records"][0]["dynamodb"].get("NewImage"), None);
    assert_eq!(made("dynamodb?action=remove")["Records"][0]["dynamodb"].get("NewImage"), None);
    let told = named("dynamodb?key=no").unwrap_err();
    assert_eq!(told, "the item has no attribute 'no', which --key says is part of its key");
}

#[test]
fn requests_are_as_each_gateway_has_them() {
    let post = "body={\"a\":1}&path=/shop/7&query=a=1%26a=b%2520c%26d&header=X-A: 1&header=X-A: 2&cookie=s=1&cookie=t=2";
    let v2 = made(&format!("http?{post}&route=/shop/{{id}}"));
    assert_eq!(v2["version"], "2.0");
    assert_eq!(v2["routeKey"], "POST /shop/{id}");
    assert_eq!(
        (&v2["rawPath"], &v2["rawQueryString"]),
        (&json!("/shop/7"), &json!("a=1&a=b%20c&d"))
    );
    assert_eq!(v2["queryStringParameters"], json!({"a": "1,b c", "d": ""}));
    assert_eq!(v2["pathParameters"], json!({"id": "7"}));
    assert_eq!(v2["headers"]["x-a"], "1,2");
    assert_eq!(v2["headers"]["content-type"], "application/json");
    assert_eq!((&v2["cookies"], v2["headers"].get("cookie")), (&json!(["s=1", "t=2"]), None));
    assert_eq!((&v2["body"], &v2["isBase64Encoded"]), (&json!("{\"a\":1}"), &json!(false)));
    assert_eq!(v2["requestContext"]["time"], "01/Jan/2026:00:00:00 +0000");
    assert_eq!(v2["requestContext"]["timeEpoch"], 1_767_225_600_000_i64);
    let get = made("http");
    assert_eq!(
        (get.get("body"), get.get("cookies"), get.get("pathParameters")),
        (None, None, None)
    );
    assert_eq!((&get["rawQueryString"], get.get("queryStringParameters")), (&json!(""), None));
    let form = made("url?body=a%3Db&header=content-type: application/x-www-form-urlencoded");
    assert_eq!((&form["body"], &form["isBase64Encoded"]), (&json!("YT1i"), &json!(true)));
    assert_eq!(form["requestContext"]["accountId"], "anonymous");

    let v1 = made(&format!("rest?{post}"));
    assert_eq!(v1.get("version"), None);
    assert_eq!(
        (&v1["resource"], &v1["pathParameters"]),
        (&json!("/{proxy+}"), &json!({"proxy": "shop/7"}))
    );
    assert_eq!(v1["queryStringParameters"], json!({"a": "b c", "d": ""}));
    assert_eq!(v1["multiValueQueryStringParameters"]["a"], json!(["1", "b c"]));
    assert_eq!(
        (&v1["headers"]["X-A"], &v1["multiValueHeaders"]["X-A"]),
        (&json!("2"), &json!(["1", "2"]))
    );
    let get = made("rest");
    for name in
        ["queryStringParameters", "multiValueQueryStringParameters", "body", "stageVariables"]
    {
        assert!(get.get(name).is_some_and(Value::is_null), "{name}");
    }

    let alb = made("alb?path=/a&query=a=b%2520c");
    assert_eq!(alb["queryStringParameters"], json!({"a": "b%20c"}));
    assert_eq!((&alb["body"], alb.get("multiValueHeaders")), (&json!(""), None));
    let lists = made("alb?multi-value&query=a=1%26a=2");
    assert_eq!(lists["multiValueQueryStringParameters"], json!({"a": ["1", "2"]}));
    assert_eq!(lists.get("headers"), None);
}

#[test]
fn what_is_packed_can_be_unpacked() {
    let event = made("cloudwatch-logs?message=one&message=two");
    let packed = STANDARD.decode(event["awslogs"]["data"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(content["messageType"], "DATA_MESSAGE");
    assert_eq!(content["logEvents"][1]["message"], "two");
    for (text, place) in [
        ("kinesis?data=é", "/Records/0/kinesis/data"),
        ("firehose?data=é", "/records/0/data"),
        ("kafka?value=é", "/records/my-topic-0/0/value"),
        ("mq?data=é", "/messages/0/data"),
        ("mq?broker=rabbitmq&data=é&queue=q", "/rmqMessagesByQueue/q::~1/0/data"),
    ] {
        assert_eq!(made(text).pointer(place), Some(&json!("w6k=")), "{text}");
    }
    let config = made("config?resource-id=b");
    let notification: Value =
        serde_json::from_str(config["invokingEvent"].as_str().unwrap()).unwrap();
    assert_eq!(notification["configurationItem"]["ARN"], "arn:aws:s3:::b");
}

#[test]
fn a_cloudevent_has_what_it_must_have_and_no_nulls() {
    let event = made("cloudevent?extension=tenant=blue&subject=s");
    for name in ["specversion", "id", "source", "type", "time", "subject", "tenant"] {
        assert!(event[name].is_string(), "{name}");
    }
    assert_eq!(made("cloudevent").get("subject"), None);
    assert!(named("cloudevent?extension=Tenant=x").is_err());
    assert!(named("cloudevent?extension=id=x").is_err());
    assert!(named("cloudevent?source=").unwrap_err().contains("--source is empty"));
}
