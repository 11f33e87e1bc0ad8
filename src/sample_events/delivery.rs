//! What builds and watches over a system: stacks, pipelines, rules about resources, steps of a workflow.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, ID, REGION, TIME, milliseconds},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "custom-resource",
        &["cloudformation"],
        "a custom resource of a stack of CloudFormation",
        RESOURCE,
        custom_resource,
    ),
    Sample::new("codepipeline", &[], "a job of CodePipeline", PIPELINE, codepipeline),
    Sample::new(
        "config",
        &["config-rule"],
        "a rule of AWS Config looks at a resource",
        CONFIG,
        config,
    ),
    Sample::new(
        "step-functions",
        &["stepfunctions", "task-token"],
        "a task of Step Functions: its input, with a token where it waits for one",
        &[
            Field::new("input", Kind::Json, &[r#"{"order":1}"#], "the state's input"),
            Field::new("token", Kind::Text, &[], "the task token, of waitForTaskToken"),
        ],
        |values| {
            Ok(match values.optional("token") {
                None => values.json("input"),
                Some(token) => json!({"input": values.json("input"), "taskToken": token}),
            })
        },
    ),
];

const RESOURCE: &[Field] = &[
    Field::new(
        "request",
        Kind::Choice(&["Create", "Update", "Delete"]),
        &["Create"],
        "Create, Update, Delete",
    ),
    Field::new("type", Kind::Text, &["Custom::MyResource"], "the resource's type"),
    Field::new("logical-id", Kind::Text, &["MyResource"], "its name in the template"),
    Field::new("physical-id", Kind::Text, &["my-resource-1"], "its id, once it is created"),
    Field::new("properties", Kind::Object, &[r#"{"Name":"value"}"#], "its properties"),
    Field::new(
        "old-properties",
        Kind::Object,
        &[r#"{"Name":"before"}"#],
        "its properties before an update",
    ),
    Field::new("stack", Kind::Text, &["my-stack"], "the stack"),
    Field::new(
        "response-url",
        Kind::Text,
        &["https://cloudformation-custom-resource.example.com/response"],
        "where the answer is put",
    ),
    ID,
    REGION,
    ACCOUNT,
];

fn custom_resource(values: &Values) -> Result<Value, String> {
    let request = values.text("request");
    let service = values.arn("lambda", "function:my-function");
    // Texts, as CloudFormation makes of all leaves.
    let with_token = |properties: Value| -> Value {
        let mut all = Map::new();
        all.insert("ServiceToken".into(), json!(service));
        all.extend(properties.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    };
    let stack = format!("stack/{}/00000000-0000-4000-8000-000000000009", values.text("stack"));
    let mut event = Map::new();
    for (name, value) in [
        ("RequestType", json!(request)),
        ("ServiceToken", json!(service)),
        ("ResponseURL", json!(values.text("response-url"))),
        ("StackId", json!(values.arn("cloudformation", &stack))),
        ("RequestId", json!(values.text("id"))),
        ("ResourceType", json!(values.text("type"))),
        ("LogicalResourceId", json!(values.text("logical-id"))),
    ] {
        event.insert(name.into(), value);
    }
    if request != "Create" {
        event.insert("PhysicalResourceId".into(), json!(values.text("physical-id")));
    }
    event.insert("ResourceProperties".into(), with_token(values.json("properties")));
    if request == "Update" {
        event.insert("OldResourceProperties".into(), with_token(values.json("old-properties")));
    }
    Ok(Value::Object(event))
}

const PIPELINE: &[Field] = &[
    Field::new("function", Kind::Text, &["my-function"], "the function"),
    Field::new(
        "parameters",
        Kind::Text,
        &["sample"],
        "what the action passes on as UserParameters",
    ),
    Field::new("bucket", Kind::Text, &["my-artifacts"], "the bucket of the artifacts"),
    Field::new("key", Kind::Text, &["my-pipeline/source/1.zip"], "the input artifact's key"),
    ID,
    ACCOUNT,
];

fn codepipeline(values: &Values) -> Result<Value, String> {
    Ok(json!({"CodePipeline.job": {
        "id": values.text("id"),
        "accountId": values.text("account"),
        "data": {
            "actionConfiguration": {"configuration": {
                "FunctionName": values.text("function"),
                "UserParameters": values.text("parameters"),
            }},
            "inputArtifacts": [{
                "location": {
                    "s3Location": {
                        "bucketName": values.text("bucket"),
                        "objectKey": values.text("key"),
                    },
                    "type": "S3",
                },
                "revision": null,
                "name": "SourceArtifact",
            }],
            "outputArtifacts": [],
            "artifactCredentials": {
                "accessKeyId": "sample",
                "secretAccessKey": "sample",
                "sessionToken": "sample",
            },
        },
    }}))
}

const CONFIG: &[Field] = &[
    Field::new("rule", Kind::Text, &["my-rule"], "the rule"),
    Field::new("parameters", Kind::Object, &["{}"], "the rule's parameters"),
    Field::new("resource-type", Kind::Text, &["AWS::S3::Bucket"], "the resource's type"),
    Field::new("resource-id", Kind::Text, &["my-bucket"], "the resource's id"),
    Field::new(
        "status",
        Kind::Choice(&["OK", "ResourceDiscovered", "ResourceDeleted"]),
        &["ResourceDiscovered"],
        "OK, ResourceDiscovered, ResourceDeleted",
    ),
    Field::new("configuration", Kind::Object, &["{}"], "how the resource is set up"),
    REGION,
    ACCOUNT,
    TIME,
];

fn config(values: &Values) -> Result<Value, String> {
    let time = milliseconds(values.time("time"));
    let (kind, id) = (values.text("resource-type"), values.text("resource-id"));
    let (rule, account) = (values.text("rule"), values.text("account"));
    let service = kind.split("::").nth(1).unwrap_or_default().to_lowercase();
    // S3's have neither region nor account.
    let arn = match service.as_str() {
        "s3" => format!("arn:{}:s3:::{id}", values.partition()),
        service => values.arn(service, id),
    };
    let is_deleted = values.text("status") == "ResourceDeleted";
    // The notification is a text in the event.
    let notification = json!({
        "configurationItem": {
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": time,
            "configurationItemStatus": values.text("status"),
            "configurationStateId": values.time("time").timestamp_millis().to_string(),
            "awsAccountId": account,
            "awsRegion": values.text("region"),
            "availabilityZone": "Regional",
            "resourceType": kind,
            "resourceId": id,
            "resourceName": id,
            "ARN": arn,
            "resourceCreationTime": time,
            "tags": {},
            "relatedEvents": [],
            "relationships": [],
            "configuration": if is_deleted { Value::Null } else { values.json("configuration") },
            "supplementaryConfiguration": {},
        },
        "notificationCreationTime": time,
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": "1.3",
    });
    Ok(json!({
        "version": "1.0",
        "invokingEvent": notification.to_string(),
        "ruleParameters": values.json("parameters").to_string(),
        "resultToken": "sample-result-token",
        "eventLeftScope": is_deleted,
        "executionRoleArn": values.global_arn("iam", "", "role/config-role"),
        "configRuleArn": values.arn("config", "config-rule/config-rule-sample"),
        "configRuleName": rule,
        "configRuleId": "config-rule-sample",
        "accountId": account,
    }))
}
