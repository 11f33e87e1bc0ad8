//! Events of buses, clocks and alarms, and CloudEvents.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, ID, REGION, TIME, seconds, without_nulls},
};
use serde_json::{Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "eventbridge",
        &["event-bridge", "bus"],
        "an event of a bus of EventBridge",
        &[
            Field::new("source", Kind::Text, &["my.shop"], "who sends it"),
            Field::new("detail-type", Kind::Text, &["order.paid"], "its type"),
            Field::new("detail", Kind::Json, &[r#"{"order":1}"#], "what has happened"),
            Field::new("resource", Kind::Texts, &[], "the ARN of what it is about"),
            ID,
            REGION,
            ACCOUNT,
            TIME,
        ],
        |values| {
            let (kind, source) = (values.text("detail-type"), values.text("source"));
            Ok(bus(values, kind, source, json!(values.texts("resource")), values.json("detail")))
        },
    ),
    Sample::new(
        "scheduled",
        &["schedule", "cron"],
        "a rule of EventBridge says that it is time",
        &[RULE, ID, REGION, ACCOUNT, TIME],
        |values| {
            let rule = values.arn("events", &format!("rule/{}", values.text("rule")));
            Ok(bus(values, "Scheduled Event", "aws.events", json!([rule]), json!({})))
        },
    ),
    Sample::new(
        "scheduler",
        &["eventbridge-scheduler"],
        "a schedule of EventBridge Scheduler without an input of its own",
        &[
            Field::new("schedule", Kind::Text, &["my-schedule"], "the schedule"),
            Field::new("group", Kind::Text, &["default"], "the schedule's group"),
            ID,
            REGION,
            ACCOUNT,
            TIME,
        ],
        |values| {
            let name = format!("schedule/{}/{}", values.text("group"), values.text("schedule"));
            let resources = json!([values.arn("scheduler", &name)]);
            // A text, as this service has it.
            Ok(bus(values, "Scheduled Event", "aws.scheduler", resources, json!("{}")))
        },
    ),
    Sample::new(
        "alarm",
        &["cloudwatch-alarm"],
        "an alarm of CloudWatch changes its state",
        ALARM,
        alarm,
    ),
    Sample::new(
        "cloudevent",
        &["cloudevents"],
        "a CloudEvent 1.0, in structured form",
        CLOUDEVENT,
        cloudevent,
    ),
];

const RULE: Field = Field::new("rule", Kind::Text, &["my-rule"], "the rule");

fn bus(values: &Values, kind: &str, source: &str, resources: Value, detail: Value) -> Value {
    json!({
        "version": "0",
        "id": values.text("id"),
        "detail-type": kind,
        "source": source,
        "account": values.text("account"),
        "time": seconds(values.time("time")),
        "region": values.text("region"),
        "resources": resources,
        "detail": detail,
    })
}

const STATES: &[&str] = &["ALARM", "OK", "INSUFFICIENT_DATA"];

const ALARM: &[Field] = &[
    Field::new("name", Kind::Text, &["my-alarm"], "the alarm"),
    Field::new(
        "state",
        Kind::Choice(STATES),
        &["ALARM"],
        "the new state: ALARM, OK, INSUFFICIENT_DATA",
    ),
    Field::new("previous", Kind::Choice(STATES), &["OK"], "the state before"),
    Field::new("namespace", Kind::Text, &["AWS/Lambda"], "the metric's namespace"),
    Field::new("metric", Kind::Text, &["Errors"], "the metric"),
    REGION,
    ACCOUNT,
    TIME,
];

fn alarm(values: &Values) -> Result<Value, String> {
    let written =
        |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
    let time = values.time("time");
    let name = values.text("name");
    let state = |state: &str, minutes: i64| {
        json!({
            "value": state,
            "reason": "Threshold Crossed: 1 datapoint was compared with the threshold (1.0).",
            "timestamp": written(time - chrono::TimeDelta::minutes(minutes)),
        })
    };
    Ok(json!({
        "source": "aws.cloudwatch",
        "alarmArn": values.arn("cloudwatch", &format!("alarm:{name}")),
        "accountId": values.text("account"),
        "time": written(time),
        "region": values.text("region"),
        "alarmData": {
            "alarmName": name,
            "state": state(values.text("state"), 0),
            "previousState": state(values.text("previous"), 5),
            "configuration": {
                "metrics": [{
                    "id": "00000000-0000-4000-8000-000000000001",
                    "metricStat": {
                        "metric": {
                            "namespace": values.text("namespace"),
                            "name": values.text("metric"),
                            "dimensions": {},
                        },
                        "period": 300,
                        "stat": "Sum",
                    },
                    "returnData": true,
                }],
            },
        },
    }))
}

const CLOUDEVENT: &[Field] = &[
    Field::new("type", Kind::Text, &["com.example.order.paid"], "its type"),
    Field::new("source", Kind::Text, &["/shop"], "who sends it"),
    Field::new("subject", Kind::Text, &[], "what it is about"),
    Field::new("data", Kind::Json, &[r#"{"order":1}"#], "what has happened, as JSON"),
    Field::new("extension", Kind::Pairs, &[], "a further attribute"),
    ID,
    TIME,
];

fn cloudevent(values: &Values) -> Result<Value, String> {
    for field in ["type", "source", "id"] {
        if values.text(field).is_empty() {
            return Err(format!("--{field} is empty, which no CloudEvent may have"));
        }
    }
    let mut event = without_nulls(json!({
        "specversion": "1.0",
        "id": values.text("id"),
        "source": values.text("source"),
        "type": values.text("type"),
        "subject": values.optional("subject"),
        "time": seconds(values.time("time")),
        "datacontenttype": "application/json",
    }));
    for (name, value) in values.pairs("extension") {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !name.chars().all(letters) || name.starts_with("data") || !event[name].is_null() {
            return Err(format!(
                "--extension {name}: a further attribute has a name of its own, of small letters and digits"
            ));
        }
        event[name] = json!(value);
    }
    event["data"] = values.json("data");
    Ok(event)
}
