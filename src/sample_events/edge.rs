//! Requests at the edge of a CDN, and fields of a graph that a resolver fills in.

use super::{
    Field, Kind, Sample, Values,
    requests::{HEADER, QUERY},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "cloudfront",
        &["lambda-edge", "edge"],
        "a request or response that passes CloudFront (Lambda@Edge)",
        CLOUDFRONT,
        cloudfront,
    ),
    Sample::new(
        "appsync",
        &["graphql"],
        "a field that AppSync has a function resolve",
        APPSYNC,
        appsync,
    ),
];

const CLOUDFRONT: &[Field] = &[
    Field::new(
        "event",
        Kind::Choice(&["viewer-request", "origin-request", "origin-response", "viewer-response"]),
        &["viewer-request"],
        "where it passes: viewer-request, origin-request, origin-response, viewer-response",
    ),
    Field::new("uri", Kind::Text, &["/index.html"], "the path"),
    Field::new("method", Kind::Text, &["GET"], "the method"),
    QUERY,
    HEADER,
    Field::new("host", Kind::Text, &["www.example.com"], "the host that the viewer asks"),
    Field::new("status", Kind::Number(100, 599), &["200"], "the response's status"),
    Field::new("distribution", Kind::Text, &["EDFDVBD6EXAMPLE"], "the distribution's id"),
];

fn cloudfront(values: &Values) -> Result<Value, String> {
    let event = values.text("event");
    let mut headers = Map::new();
    let host = [("Host".to_owned(), values.text("host").to_owned())];
    let agent = [("User-Agent".to_owned(), "curl/8.0.0".to_owned())];
    for (name, value) in host.iter().chain(&agent).chain(values.pairs("header")) {
        let lists = headers.entry(name.to_lowercase()).or_insert_with(|| json!([]));
        if let Some(list) = lists.as_array_mut() {
            list.push(json!({"key": name, "value": value}));
        }
    }
    let mut request = Map::new();
    request.insert("clientIp".into(), json!("192.0.2.1"));
    request.insert("headers".into(), Value::Object(headers));
    request.insert("method".into(), json!(values.text("method").to_uppercase()));
    if event.starts_with("origin") {
        request.insert(
            "origin".into(),
            json!({"custom": {
                "customHeaders": {},
                "domainName": "origin.example.com",
                "keepaliveTimeout": 5,
                "path": "",
                "port": 443,
                "protocol": "https",
                "readTimeout": 30,
                "sslProtocols": ["TLSv1.2"],
            }}),
        );
    }
    request.insert("querystring".into(), json!(values.text("query")));
    request.insert("uri".into(), json!(values.text("uri")));
    let mut passed = Map::new();
    passed.insert(
        "config".into(),
        json!({
            "distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionId": values.text("distribution"),
            "eventType": event,
            "requestId": "sample-request-1==",
        }),
    );
    passed.insert("request".into(), Value::Object(request));
    if event.ends_with("response") {
        let status = values.number("status");
        let code = http_name(status);
        passed.insert(
            "response".into(),
            json!({
                "headers": {"content-type": [{"key": "Content-Type", "value": "text/html"}]},
                "status": status.to_string(),
                "statusDescription": code,
            }),
        );
    }
    Ok(json!({"Records": [{"cf": passed}]}))
}

/// Returns the name of a status, of those that there mostly are.
fn http_name(status: i64) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "",
    }
}

const APPSYNC: &[Field] = &[
    Field::new("type", Kind::Text, &["Query"], "the type that has the field"),
    Field::new("field", Kind::Text, &["getPost"], "the field"),
    Field::new("arguments", Kind::Object, &[r#"{"id":"1"}"#], "the field's arguments"),
    Field::new("source", Kind::Json, &["null"], "the object that has the field"),
    Field::new("select", Kind::Texts, &["id", "title"], "a field of the answer that is asked for"),
    Field::new("user", Kind::Text, &[], "the user, of a pool of Cognito"),
    HEADER,
];

fn appsync(values: &Values) -> Result<Value, String> {
    let selected = values.texts("select");
    let identity = values.optional("user").map(|user| {
        let issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_sample001";
        json!({
            "claims": {"sub": user, "iss": issuer, "username": user, "token_use": "access"},
            "defaultAuthStrategy": "ALLOW",
            "groups": null,
            "issuer": issuer,
            "sourceIp": ["192.0.2.1"],
            "sub": user,
            "username": user,
        })
    });
    let mut headers = Map::new();
    headers.insert("host".into(), json!("api.example.com"));
    headers.insert("content-type".into(), json!("application/json"));
    for (name, value) in values.pairs("header") {
        headers.insert(name.to_lowercase(), json!(value));
    }
    let lines: String = selected.iter().map(|field| format!("  {field}\n")).collect();
    Ok(json!({
        "arguments": values.json("arguments"),
        "identity": identity,
        "source": values.json("source"),
        "request": {"headers": headers, "domainName": null},
        "prev": null,
        "info": {
            "selectionSetList": selected,
            "selectionSetGraphQL": format!("{{\n{lines}}}"),
            "parentTypeName": values.text("type"),
            "fieldName": values.text("field"),
            "variables": {},
        },
        "stash": {},
    }))
}
