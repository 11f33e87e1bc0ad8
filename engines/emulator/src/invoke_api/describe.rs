//! Small answers about functions: GetFunction, GetFunctionConfiguration and ListFunctions.

use super::super::options::EmulatorOptions;
use serde_json::{Value, json};

/// The moment that stands for a function's latest change: the emulator does not know it.
const LAST_MODIFIED: &str = "1970-01-01T00:00:00.000+0000";

/// Describes a function as GetFunction does.
pub(super) fn function(options: &EmulatorOptions, qualifier: Option<&str>) -> Value {
    json!({
        "Configuration": configuration(options, qualifier),
        "Code": {"RepositoryType": "S3", "Location": ""},
        "Tags": {},
    })
}

/// Describes a function as GetFunctionConfiguration does.
pub(super) fn configuration(options: &EmulatorOptions, qualifier: Option<&str>) -> Value {
    let arn = options.function_arn();
    let arn = qualifier.map_or(arn.clone(), |qualifier| format!("{arn}:{qualifier}"));
    let mut configuration = json!({
        "FunctionName": options.function_name,
        "FunctionArn": arn,
        "Runtime": "provided.al2023",
        "Role": format!("arn:aws:iam::{}:role/emulator", options.account),
        "Handler": options.handler,
        "CodeSize": 0,
        "CodeSha256": "",
        "Description": "",
        // Lambda counts in whole seconds, and has no less than one.
        "Timeout": options.timeout.as_secs().max(1),
        "MemorySize": options.memory_mb,
        "LastModified": LAST_MODIFIED,
        "Version": options.executed_version(qualifier),
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": "00000000-0000-0000-0000-000000000000",
        "PackageType": "Zip",
        "Architectures": [if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }],
        "EphemeralStorage": {"Size": 512},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LoggingConfig": {
            "LogFormat": "Text",
            "LogGroup": format!("/aws/lambda/{}", options.function_name),
        },
    });
    if let Some(durable) = &options.durable {
        configuration["DurableConfig"] = durable.json();
    }
    configuration
}

/// Lists functions as ListFunctions does, on one page.
pub(super) fn list<'o>(functions: impl Iterator<Item = &'o EmulatorOptions>) -> Value {
    let functions: Vec<Value> = functions.map(|options| configuration(options, None)).collect();
    json!({"Functions": functions, "NextMarker": null})
}
