//! Events of stores: S3 and its batch jobs, tables of DynamoDB.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, COUNT, ID, REGION, TIME, epoch_seconds, key, md5, milliseconds},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new("s3", &[], "an object of S3 is created, copied or deleted", S3, s3),
    Sample::new(
        "s3-batch",
        &[],
        "a task of an S3 batch job",
        &[
            BUCKET,
            KEY,
            Field::new("version", Kind::Text, &[], "the object's version"),
            ID,
            REGION,
            ACCOUNT,
        ],
        s3_batch,
    ),
    Sample::new(
        "dynamodb",
        &["dynamodb-stream"],
        "an item of a table is inserted, modified or removed",
        DYNAMODB,
        dynamodb,
    ),
];

const BUCKET: Field = Field::new("bucket", Kind::Text, &["my-bucket"], "the bucket");
const KEY: Field =
    Field::new("key", Kind::Text, &["photos/cat.jpg"], "the object's key, as it is in S3");

const S3: &[Field] = &[
    Field::new(
        "action",
        Kind::Choice(&["put", "post", "copy", "multipart", "delete", "delete-marker"]),
        &["put"],
        "what is done: put, post, copy, multipart, delete, delete-marker",
    ),
    BUCKET,
    KEY,
    Field::new("size", Kind::Number(0, i64::MAX), &["1024"], "the object's size in bytes"),
    Field::new("version", Kind::Text, &[], "the object's version"),
    COUNT,
    REGION,
    ACCOUNT,
    TIME,
];

fn s3(values: &Values) -> Result<Value, String> {
    let name = match values.text("action") {
        "put" => "ObjectCreated:Put",
        "post" => "ObjectCreated:Post",
        "copy" => "ObjectCreated:Copy",
        "multipart" => "ObjectCreated:CompleteMultipartUpload",
        "delete" => "ObjectRemoved:Delete",
        _ => "ObjectRemoved:DeleteMarkerCreated",
    };
    let bucket = values.text("bucket");
    let account = values.text("account");
    let records = (0..values.number("count")).map(|number| {
        let named = match number {
            0 => values.text("key").to_owned(),
            _ => format!("{}-{}", values.text("key"), number + 1),
        };
        let mut object = Map::new();
        object.insert("key".into(), json!(key(&named)));
        if name.starts_with("ObjectCreated") {
            object.insert("size".into(), json!(values.number("size")));
        }
        if name != "ObjectRemoved:Delete" {
            object.insert("eTag".into(), json!(md5(&named)));
        }
        if let Some(version) = values.optional("version") {
            object.insert("versionId".into(), json!(version));
        }
        object.insert("sequencer".into(), json!(format!("{:018X}", 0x0055_AED6_DCD9_0281_i64 + number)));
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": values.text("region"),
            "eventTime": milliseconds(values.time("time")),
            "eventName": name,
            "userIdentity": {"principalId": format!("AWS:{account}:uploader")},
            "requestParameters": {"sourceIPAddress": "192.0.2.1"},
            "responseElements": {
                "x-amz-request-id": format!("{:016X}", 0xC3D1_3FE5_8DE4_C810_u64 + number.unsigned_abs()),
                "x-amz-id-2": "sample/request/of/trine",
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "sample-notification",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": format!("arn:{}:s3:::{bucket}", values.partition()),
                },
                "object": object,
            },
        })
    });
    Ok(json!({ "Records": records.collect::<Vec<_>>() }))
}

fn s3_batch(values: &Values) -> Result<Value, String> {
    let bucket = values.text("bucket");
    Ok(json!({
        "invocationSchemaVersion": "1.0",
        "invocationId": "sample-invocation",
        "job": {"id": values.text("id")},
        "tasks": [{
            "taskId": "sample-task",
            "s3Key": key(values.text("key")),
            "s3VersionId": values.optional("version"),
            "s3BucketArn": format!("arn:{}:s3:::{bucket}", values.partition()),
        }],
    }))
}

const DYNAMODB: &[Field] = &[
    Field::new(
        "action",
        Kind::Choice(&["insert", "modify", "remove"]),
        &["modify"],
        "what is done: insert, modify, remove",
    ),
    Field::new("table", Kind::Text, &["orders"], "the table"),
    Field::new("key", Kind::Texts, &["id"], "the name of an attribute that is part of the key"),
    Field::new(
        "new",
        Kind::Object,
        &[r#"{"id":"order-1","status":"paid","total":25}"#],
        "the item afterwards, as plain JSON",
    ),
    Field::new(
        "old",
        Kind::Object,
        &[r#"{"id":"order-1","status":"open","total":25}"#],
        "the item before, as plain JSON",
    ),
    Field::new(
        "view",
        Kind::Choice(&["new-and-old", "new", "old", "keys"]),
        &["new-and-old"],
        "the images that the stream has: new-and-old, new, old, keys",
    ),
    ID,
    REGION,
    ACCOUNT,
    TIME,
];

fn dynamodb(values: &Values) -> Result<Value, String> {
    let action = values.text("action");
    let new = (action != "remove").then(|| values.json("new"));
    let old = (action != "insert").then(|| values.json("old"));
    let item = new.as_ref().or(old.as_ref()).and_then(Value::as_object);
    let mut keys = Map::new();
    for name in values.texts("key") {
        let value = item.and_then(|item| item.get(name));
        let value = value.ok_or_else(|| {
            format!("the item has no attribute '{name}', which --key says is part of its key")
        })?;
        keys.insert(name.clone(), attribute(value));
    }
    let view = match values.text("view") {
        "new-and-old" => "NEW_AND_OLD_IMAGES",
        "new" => "NEW_IMAGE",
        "old" => "OLD_IMAGE",
        _ => "KEYS_ONLY",
    };
    let mut change = Map::new();
    change.insert("ApproximateCreationDateTime".into(), epoch_seconds(values.time("time")));
    change.insert("Keys".into(), Value::Object(keys));
    let mut size = 0;
    for (name, image) in [("NewImage", new), ("OldImage", old)] {
        let has = match name {
            "NewImage" => view.starts_with("NEW"),
            _ => view.contains("OLD"),
        };
        if let Some(Value::Object(image)) = image.filter(|_| has) {
            size += Value::Object(image.clone()).to_string().len();
            change.insert(name.into(), attributes(&image));
        }
    }
    change.insert("SequenceNumber".into(), json!("111100000000000000000001"));
    change.insert("SizeBytes".into(), json!(size));
    change.insert("StreamViewType".into(), json!(view));
    let stream = format!(
        "table/{}/stream/{}",
        values.text("table"),
        values.time("time").format("%Y-%m-%dT%H:%M:%S%.3f")
    );
    Ok(json!({"Records": [{
        "eventID": values.text("id").replace('-', ""),
        "eventName": action.to_uppercase(),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": values.text("region"),
        "dynamodb": change,
        "eventSourceARN": values.arn("dynamodb", &stream),
    }]}))
}

fn attributes(item: &Map<String, Value>) -> Value {
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// Returns a value as DynamoDB writes it: with its type.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(is) => json!({"BOOL": is}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(items) => json!({"L": items.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(members) => json!({"M": attributes(members)}),
    }
}
