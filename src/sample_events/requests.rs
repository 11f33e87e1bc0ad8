//! HTTP requests as gateways, load balancers and function URLs pass them on, and messages of WebSockets.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, ID, REGION, TIME, base64, clock, is_base64, object},
};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "apigw-v2",
        &["http", "http-api", "apigateway-v2"],
        "a request to an HTTP API of API Gateway (payload format 2.0)",
        WITH_ROUTE,
        |values| Ok(v2(values, &Request::of(values), true)),
    ),
    Sample::new(
        "apigw-v1",
        &["rest", "rest-api", "apigateway-v1", "apigateway"],
        "a request to a REST API of API Gateway (payload format 1.0)",
        WITH_ROUTE,
        |values| Ok(v1(values, &Request::of(values))),
    ),
    Sample::new("function-url", &["url"], "a request to a function's URL", REQUEST, |values| {
        Ok(v2(values, &Request::of(values), false))
    }),
    Sample::new("alb", &["elb"], "a request to an Application Load Balancer", BALANCED, alb),
    Sample::new(
        "websocket",
        &["ws"],
        "a message to a WebSocket API of API Gateway",
        SOCKET,
        websocket,
    ),
    Sample::new(
        "scaleway",
        &["scw"],
        "a request to a function of Scaleway",
        &[METHOD, PATH, QUERY, HEADER, BODY],
        scaleway,
    ),
];

pub(super) const METHOD: Field =
    Field::new("method", Kind::Text, &[], "the method [GET, with a body POST]");
pub(super) const PATH: Field = Field::new("path", Kind::Text, &["/pets/7"], "the path");
pub(super) const QUERY: Field =
    Field::new("query", Kind::Text, &[""], "the query, as it is in a URL: a=1&b=2");
pub(super) const HEADER: Field = Field::new("header", Kind::Pairs, &[], "a header");
const COOKIE: Field = Field::new("cookie", Kind::Texts, &[], "a cookie: name=value");
const BODY: Field = Field::new("body", Kind::Text, &[], "the body");
pub(super) const ROUTE: Field = Field::new(
    "route",
    Kind::Text,
    &[],
    "the path of the route that takes it: /pets/{id} or /{proxy+}",
);
pub(super) const STAGE: Field = Field::new("stage", Kind::Text, &[], "the API's stage");

const REQUEST: &[Field] = &[METHOD, PATH, QUERY, HEADER, COOKIE, BODY, ID, REGION, ACCOUNT, TIME];
pub(super) const WITH_ROUTE: &[Field] =
    &[METHOD, PATH, QUERY, HEADER, COOKIE, BODY, ROUTE, STAGE, ID, REGION, ACCOUNT, TIME];
const BALANCED: &[Field] = &[
    METHOD,
    PATH,
    QUERY,
    HEADER,
    BODY,
    Field::new("multi-value", Kind::Flag, &[], "lists of values, as the target group may have it"),
    Field::new("target-group", Kind::Text, &["my-targets"], "the target group"),
    REGION,
    ACCOUNT,
];

/// The address that requests come from: one that documents may use.
const SOURCE: &str = "192.0.2.1";
const AGENT: &str = "curl/8.0.0";
/// The name of an API, of which hosts are made.
const API: &str = "api0000001";

/// A request as its client sends it.
pub(super) struct Request {
    method: String,
    path: String,
    query: String,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    body: Option<String>,
}

impl Request {
    pub(super) fn of(values: &Values) -> Self {
        let has = |name: &str| values.has(name);
        let body = if has("body") { values.optional("body") } else { None };
        let cookies = if has("cookie") { values.texts("cookie").to_vec() } else { Vec::new() };
        let mut headers: Vec<(String, String)> = values
            .pairs("header")
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect();
        if let Some(body) = body {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
            let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
            add(&mut headers, "content-type", kind);
            add(&mut headers, "content-length", &body.len().to_string());
        }
        add(&mut headers, "accept", "*/*");
        add(&mut headers, "user-agent", AGENT);
        let method = values.optional("method").unwrap_or(match body {
            Some(_) => "POST",
            None => "GET",
        });
        let path = values.text("path");
        let (path, own) = path.split_once('?').unwrap_or((path, ""));
        let query = Some(values.text("query")).filter(|query| !query.is_empty()).unwrap_or(own);
        Self {
            method: method.to_uppercase(),
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            query: query.trim_start_matches('?').to_owned(),
            headers,
            cookies,
            body: body.map(str::to_owned),
        }
    }

    /// Returns its headers and those that are added on the way.
    fn headers(&self, host: &str, with_cookies: bool) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        if with_cookies && !self.cookies.is_empty() {
            headers.push(("cookie".to_owned(), self.cookies.join("; ")));
        }
        for (name, value) in [
            ("host", host),
            ("x-amzn-trace-id", "Root=1-00000000-000000000000000000000001"),
            ("x-forwarded-for", SOURCE),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
        ] {
            add(&mut headers, name, value);
        }
        headers.sort();
        headers
    }

    fn header(&self, name: &str) -> &str {
        let known = self.headers.iter().find(|(known, _)| known == name);
        known.map_or("", |(_, value)| value)
    }

    /// Returns its parameters, decoded.
    fn parameters(&self) -> Vec<(String, String)> {
        self.written_parameters().map(|(name, value)| (decoded(name), decoded(value))).collect()
    }

    fn written_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let parts = self.query.split('&').filter(|part| !part.is_empty());
        parts.map(|part| part.split_once('=').unwrap_or((part, "")))
    }

    /// Returns the body as events have it, and whether it is base64: what is no text by its type is.
    fn body(&self) -> (Option<String>, bool) {
        let Some(body) = &self.body else { return (None, false) };
        let kind = self.header("content-type").to_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_text = kind.starts_with("text/")
            || ["application/json", "application/javascript", "application/xml"].contains(&kind)
            || kind.ends_with("+json")
            || kind.ends_with("+xml");
        match is_text && self.header("content-encoding").is_empty() {
            true => (Some(body.clone()), false),
            false => (Some(base64(body)), true),
        }
    }
}

impl Values {
    fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

/// Adds a header unless there is one of this name.
fn add(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    if !headers.iter().any(|(known, _)| known == name) {
        headers.push((name.to_owned(), value.to_owned()));
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Returns an object with the values of each name as `join` makes one of them.
fn grouped(pairs: &[(String, String)], join: impl Fn(&[&str]) -> Value) -> Value {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in pairs {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let values = |wanted: &str| -> Vec<&str> {
        pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect()
    };
    names.into_iter().map(|name| (name.to_owned(), join(&values(name)))).collect()
}

fn joined(pairs: &[(String, String)]) -> Value {
    grouped(pairs, |values| json!(values.join(",")))
}

fn lists(pairs: &[(String, String)]) -> Value {
    grouped(pairs, |values| json!(values))
}

/// Returns what a route takes out of a path; nothing where it does not take it.
fn path_parameters(route: &str, path: &str) -> Vec<(String, String)> {
    let mut taken = Vec::new();
    let mut parts = path.trim_start_matches('/').split('/');
    for part in route.trim_start_matches('/').split('/') {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        match name.map(|name| (name, name.strip_suffix('+'))) {
            Some((_, Some(name))) => {
                let rest: Vec<&str> = parts.by_ref().collect();
                taken.push((name.to_owned(), decoded(&rest.join("/"))));
            }
            Some((name, None)) => {
                taken.push((name.to_owned(), decoded(parts.next().unwrap_or_default())));
            }
            None => drop(parts.next()),
        }
    }
    taken
}

/// Returns the event of payload format 2.0: of an HTTP API, or of a function's URL, which has no routes and no stages.
pub(super) fn v2(values: &Values, request: &Request, has_routes: bool) -> Value {
    let region = values.text("region");
    let id = if has_routes { API } else { "url00000000000000000000000000001" };
    let domain = match has_routes {
        true => format!("{id}.execute-api.{region}.amazonaws.com"),
        false => format!("{id}.lambda-url.{region}.on.aws"),
    };
    let route = if has_routes { values.optional("route") } else { None };
    // `GET /pets/{id}` as well as the path alone.
    let route = route.map(|route| route.split_once(' ').map_or(route, |(_, path)| path));
    let route_key =
        route.map_or("$default".to_owned(), |route| format!("{} {route}", request.method));
    let stage = if has_routes { values.optional("stage") } else { None }.unwrap_or("$default");
    let path = match stage {
        "$default" => request.path.clone(),
        stage => format!("/{stage}{}", request.path),
    };
    let mut event = Map::new();
    event.insert("version".into(), json!("2.0"));
    event.insert("routeKey".into(), json!(route_key));
    event.insert("rawPath".into(), json!(path));
    event.insert("rawQueryString".into(), json!(request.query));
    if !request.cookies.is_empty() {
        event.insert("cookies".into(), json!(request.cookies));
    }
    event.insert("headers".into(), joined(&request.headers(&domain, false)));
    let parameters = request.parameters();
    if !parameters.is_empty() {
        event.insert("queryStringParameters".into(), joined(&parameters));
    }
    let account = if has_routes { values.text("account") } else { "anonymous" };
    let time = values.time("time");
    event.insert(
        "requestContext".into(),
        json!({
            "accountId": account,
            "apiId": id,
            "authentication": null,
            "domainName": domain,
            "domainPrefix": id,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE,
                "userAgent": request.header("user-agent"),
            },
            "requestId": values.text("id"),
            "routeKey": route_key,
            "stage": stage,
            "time": clock(time),
            "timeEpoch": time.timestamp_millis(),
        }),
    );
    if let Some(route) = route {
        let taken = path_parameters(route, &request.path);
        if !taken.is_empty() {
            event.insert("pathParameters".into(), object(&taken));
        }
    }
    let (body, is_base64) = request.body();
    if let Some(body) = body {
        event.insert("body".into(), json!(body));
    }
    event.insert("isBase64Encoded".into(), json!(is_base64));
    Value::Object(event)
}

/// Returns the event of payload format 1.0, as a REST API has it.
pub(super) fn v1(values: &Values, request: &Request) -> Value {
    let domain = format!("{API}.execute-api.{}.amazonaws.com", values.text("region"));
    let proxy = if request.path == "/" { "/" } else { "/{proxy+}" };
    let resource = values.optional("route").unwrap_or(proxy);
    let resource = resource.split_once(' ').map_or(resource, |(_, path)| path);
    let stage = values.optional("stage").unwrap_or("prod");
    let headers: Vec<(String, String)> = request
        .headers(&domain, true)
        .into_iter()
        .map(|(name, value)| (capitals(&name), value))
        .collect();
    let last = |pairs: &[(String, String)]| grouped(pairs, |values| json!(values.last()));
    let parameters = request.parameters();
    let some = |pairs: &[(String, String)], value: Value| match pairs {
        [] => Value::Null,
        _ => value,
    };
    let taken = path_parameters(resource, &request.path);
    let (body, is_base64) = request.body();
    let time = values.time("time");
    json!({
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": last(&headers),
        "multiValueHeaders": lists(&headers),
        "queryStringParameters": some(&parameters, last(&parameters)),
        "multiValueQueryStringParameters": some(&parameters, lists(&parameters)),
        "pathParameters": some(&taken, object(&taken)),
        "stageVariables": null,
        "requestContext": {
            "accountId": values.text("account"),
            "apiId": API,
            "domainName": domain,
            "domainPrefix": API,
            "extendedRequestId": "sample0000000001=",
            "httpMethod": request.method,
            "identity": {
                "accessKey": null,
                "accountId": null,
                "apiKey": null,
                "apiKeyId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": SOURCE,
                "user": null,
                "userAgent": request.header("user-agent"),
                "userArn": null,
            },
            "path": format!("/{stage}{}", request.path),
            "protocol": "HTTP/1.1",
            "requestId": values.text("id"),
            "requestTime": clock(time),
            "requestTimeEpoch": time.timestamp_millis(),
            "resourceId": "res001",
            "resourcePath": resource,
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    })
}

/// Writes a header's name with a capital at the beginning of each word, as clients of HTTP/1.1 write it.
fn capitals(name: &str) -> String {
    let mut begins = true;
    let letter = |letter: char| {
        let written = if begins { letter.to_ascii_uppercase() } else { letter };
        begins = letter == '-';
        written
    };
    name.chars().map(letter).collect()
}

fn alb(values: &Values) -> Result<Value, String> {
    let request = Request::of(values);
    let group = format!("targetgroup/{}/0000000000000001", values.text("target-group"));
    let headers = request.headers("my-balancer.example.com", true);
    // These are passed as they were sent, percent signs and all.
    let parameters: Vec<(String, String)> = request
        .written_parameters()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let last = |pairs: &[(String, String)]| grouped(pairs, |values| json!(values.last()));
    let (body, is_base64) = request.body();
    let mut event = Map::new();
    let group = values.arn("elasticloadbalancing", &group);
    event.insert("requestContext".into(), json!({"elb": {"targetGroupArn": group}}));
    event.insert("httpMethod".into(), json!(request.method));
    event.insert("path".into(), json!(request.path));
    if values.flag("multi-value") {
        event.insert("multiValueQueryStringParameters".into(), lists(&parameters));
        event.insert("multiValueHeaders".into(), lists(&headers));
    } else {
        event.insert("queryStringParameters".into(), last(&parameters));
        event.insert("headers".into(), last(&headers));
    }
    event.insert("body".into(), json!(body.unwrap_or_default()));
    event.insert("isBase64Encoded".into(), json!(is_base64));
    Ok(Value::Object(event))
}

const SOCKET: &[Field] = &[
    Field::new(
        "action",
        Kind::Choice(&["message", "connect", "disconnect"]),
        &["message"],
        "what happens: message, connect, disconnect",
    ),
    Field::new("body", Kind::Text, &[r#"{"action":"hello"}"#], "the message"),
    Field::new(
        "route",
        Kind::Text,
        &[],
        "the route that takes it [$default, $connect, $disconnect]",
    ),
    Field::new("connection", Kind::Text, &["connection-1="], "the connection's id"),
    QUERY,
    HEADER,
    Field::new("stage", Kind::Text, &["prod"], "the API's stage"),
    ID,
    REGION,
    TIME,
];

fn websocket(values: &Values) -> Result<Value, String> {
    let action = values.text("action");
    let (kind, route) = match action {
        "connect" => ("CONNECT", "$connect"),
        "disconnect" => ("DISCONNECT", "$disconnect"),
        _ => ("MESSAGE", "$default"),
    };
    let time = values.time("time");
    let domain = format!("{API}.execute-api.{}.amazonaws.com", values.text("region"));
    let mut context = Map::new();
    context.insert("routeKey".into(), json!(values.optional("route").unwrap_or(route)));
    if action == "message" {
        context.insert("messageId".into(), json!("message-1="));
    }
    if action == "disconnect" {
        context.insert("disconnectStatusCode".into(), json!(1000));
        context.insert("disconnectReason".into(), json!(""));
    }
    context.insert("eventType".into(), json!(kind));
    for (name, value) in [
        ("extendedRequestId", json!("sample0000000001=")),
        ("requestTime", json!(clock(time))),
        ("messageDirection", json!("IN")),
        ("stage", json!(values.text("stage"))),
        ("connectedAt", json!(time.timestamp_millis())),
        ("requestTimeEpoch", json!(time.timestamp_millis())),
        ("identity", json!({"sourceIp": SOURCE})),
        ("requestId", json!(values.text("id"))),
        ("domainName", json!(domain)),
        ("connectionId", json!(values.text("connection"))),
        ("apiId", json!(API)),
    ] {
        context.insert(name.into(), value);
    }
    let mut event = Map::new();
    if action != "message" {
        let mut headers = values.pairs("header").to_vec();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            headers.push(("Host".to_owned(), domain));
        }
        event.insert("headers".into(), joined(&headers));
        event.insert("multiValueHeaders".into(), lists(&headers));
    }
    let query = values.text("query");
    if action == "connect" && !query.is_empty() {
        let parts = query.split('&').map(|part| part.split_once('=').unwrap_or((part, "")));
        let parameters: Vec<_> = parts.map(|(n, v)| (decoded(n), decoded(v))).collect();
        event.insert("queryStringParameters".into(), object(&parameters));
        event.insert("multiValueQueryStringParameters".into(), lists(&parameters));
    }
    event.insert("requestContext".into(), Value::Object(context));
    if action == "message" {
        event.insert("body".into(), json!(values.text("body")));
    }
    event.insert("isBase64Encoded".into(), json!(false));
    Ok(Value::Object(event))
}

fn scaleway(values: &Values) -> Result<Value, String> {
    let request = Request::of(values);
    let headers: Vec<_> = request
        .headers("", false)
        .into_iter()
        .filter(|(name, _)| name != "host" && name != "x-amzn-trace-id")
        .map(|(name, value)| (capitals(&name), value))
        .collect();
    let body = request.body.clone().unwrap_or_default();
    let mut event = json!({
        "resource": "",
        "path": request.path,
        "httpMethod": request.method,
        "headers": joined(&headers),
        "multiValueHeaders": null,
        "queryStringParameters": grouped(&request.parameters(), |values| json!(values.last())),
        "multiValueQueryStringParameters": null,
        "pathParameters": null,
        "stageVariables": {},
        "requestContext": {
            "accountId": "",
            "resourceId": "",
            "stage": "",
            "requestId": "",
            "resourcePath": "",
            "authorizer": null,
            "httpMethod": request.method,
            "apiId": "",
        },
    });
    // A mark that it could be base64, which nothing at all could be as well.
    if is_base64(&body) {
        event["isBase64Encoded"] = json!(true);
    }
    event["body"] = json!(body);
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_takes_parameters_out_of_a_path() {
        let taken = |route: &str, path: &str| object(&path_parameters(route, path)).to_string();
        assert_eq!(taken("/pets/{id}", "/pets/a%20b"), r#"{"id":"a b"}"#);
        assert_eq!(taken("/{shop}/{proxy+}", "/s/a/b"), r#"{"shop":"s","proxy":"a/b"}"#);
        assert_eq!(taken("/pets", "/pets"), "{}");
    }
}
