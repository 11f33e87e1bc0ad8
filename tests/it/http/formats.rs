//! Forms of events other than the usual one, and Lambda's Invoke API, through a real port.

use crate::support::{Connection, Folder, Served, run, trine};
use serde_json::{Value, json};

/// Handlers that answer by what the path says: the event itself, a response object, what is none, or a failure.
const HANDLERS: [(&str, &str); 3] = [
    (
        "app.mjs",
        "export const handler = (event, context) => {
           switch (event.path ?? event.rawPath ?? event.what) {
             case '/event': return { statusCode: 200, body: JSON.stringify(event) };
             case '/teapot': return { statusCode: 418, headers: { 'x-a': '1' }, body: 'short' };
             case '/plain': return { message: 'no response' };
             case '/fail': throw new TypeError('no');
             default: return { event, id: context.awsRequestId, client: context.clientContext ?? null };
           }
         };",
    ),
    (
        "app.py",
        "import json

def handler(event, context):
    match event.get('path') or event.get('rawPath') or event.get('what'):
        case '/event':
            return {'statusCode': 200, 'body': json.dumps(event)}
        case '/teapot':
            return {'statusCode': 418, 'headers': {'x-a': '1'}, 'body': 'short'}
        case '/plain':
            return {'message': 'no response'}
        case '/fail':
            raise TypeError('no')
        case _:
            return {'event': event, 'id': context.aws_request_id, 'client': None}
",
    ),
    (
        "app.lua",
        "return { handler = function(event, context)
  local what = event.path or event.rawPath or event.what
  if what == '/event' then return { statusCode = 200, body = trine.json.encode(event) } end
  if what == '/teapot' then return { statusCode = 418, headers = { ['x-a'] = '1' }, body = 'short' } end
  if what == '/plain' then return { message = 'no response' } end
  if what == '/fail' then error({ type = 'TypeError', message = 'no' }) end
  return { event = event, id = context.aws_request_id }
end }
",
    ),
];

fn served(file: &str, source: &str, arguments: &[&str]) -> (Folder, Served) {
    let folder = Folder::new(&[(file, source)]);
    let served = Served::start(&folder, &[&[file, "--workers", "1"], arguments].concat());
    (folder, served)
}

#[test]
fn functions_get_the_events_that_they_were_written_for() {
    for (file, source) in HANDLERS {
        for (form, member, value) in [
            ("aws-v1", "/httpMethod", json!("GET")),
            ("aws-v1", "/multiValueQueryStringParameters/a", json!(["1", "2"])),
            ("alb", "/queryStringParameters", json!({"a": "2"})),
            ("alb-multi-value", "/multiValueQueryStringParameters", json!({"a": ["1", "2"]})),
            ("function-url", "/queryStringParameters/a", json!("1,2")),
            ("aws-v2", "/version", json!("2.0")),
        ] {
            let (_folder, served) = served(file, source, &["--event-format", form]);
            let event = served.get("/event?a=1&a=2").json();
            assert_eq!(event.pointer(member), Some(&value), "{file} {form}: {event}");
            let reply = served.get("/teapot");
            assert_eq!((reply.status, reply.text()), (418, "short"), "{file} {form}");
            let header = if form == "alb-multi-value" { None } else { Some("1") };
            assert_eq!(reply.header("x-a"), header, "{file} {form}");
        }
    }
}

#[test]
fn what_is_no_response_and_what_fails_is_told_as_the_service_does() {
    let hidden = |form, path| {
        let (file, source) = HANDLERS[0];
        let (_folder, served) = served(file, source, &["--event-format", form, "--hide-errors"]);
        let reply = served.get(path);
        (reply.status, reply.text().to_owned())
    };
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
                </body>\r\n</html>\r\n";
    for path in ["/plain", "/fail"] {
        assert_eq!(hidden("aws-v1", path), (502, r#"{"message":"Internal server error"}"#.into()));
        assert_eq!(hidden("alb", path), (502, page.into()));
    }
    assert_eq!(hidden("function-url", "/fail"), (502, "Internal Server Error".into()));
    assert_eq!(hidden("function-url", "/plain").0, 200);
    for (file, source) in HANDLERS {
        let (_folder, served) = served(file, source, &["--event-format", "aws-v1"]);
        let told = served.get("/plain");
        assert_eq!(told.status, 502, "{file}");
        assert!(told.text().contains("it has the member 'message', and may have"), "{told:?}");
        let told = served.get("/fail");
        assert_eq!((told.status, &told.json()["errorType"]), (502, &json!("TypeError")), "{file}");
        assert_eq!(served.get("/teapot").status, 418, "{file}");
    }
}

#[test]
fn a_raw_event_is_the_body_and_the_result_is_the_answer() {
    for (file, source) in HANDLERS {
        let (_folder, served) = served(file, source, &["--event-format", "raw"]);
        let answer = served.post("/any/path", r#"{"n":[1]}"#).json();
        assert_eq!(answer["event"], json!({"n": [1]}), "{file}");
        assert_eq!(served.get("/").json()["event"], json!({}), "{file}");
        assert_eq!(served.post("/", r#"{"what":"/teapot"}"#).status, 200, "{file}");
        let wrong = served.post("/", "{");
        assert_eq!(wrong.status, 400, "{file}");
        assert!(wrong.text().contains("the request's body is no JSON: "), "{wrong:?}");
        let failed = served.post("/", r#"{"what":"/fail"}"#);
        assert_eq!(
            (failed.status, failed.header("x-amz-function-error")),
            (500, Some("Unhandled"))
        );
        assert_eq!(failed.json()["errorType"], "TypeError", "{file}");
    }
}

#[test]
fn a_folder_says_which_function_has_which_form() {
    let folder = Folder::new(&[
        ("old.mjs", HANDLERS[0].1),
        ("new.mjs", HANDLERS[0].1),
        ("trine.toml", "[[function]]\nname = \"old\"\nevent-format = \"aws-v1\"\n"),
    ]);
    let with = |arguments: &[&str]| {
        let served = Served::start(&folder, &[&["--workers", "1"], arguments].concat());
        ["/old/event", "/new/event"].map(|path| {
            let event = served.get(path).json();
            (event["httpMethod"].is_string(), event["version"] == "2.0")
        })
    };
    assert_eq!(with(&[]), [(true, false), (false, true)]);
    assert_eq!(with(&["--event-format", "alb"]), [(true, false), (true, false)]);
    folder.write("trine.toml", "[[function]]\nname = \"old\"\n\nevent-format = \"aws-v3\"\n");
    let refused = run(trine(&folder, &["serve", "--port", "0"]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = "trine.toml:4: event-format = \"aws-v3\": use one of aws-v2, aws-v1, alb, alb-multi-value, \
                    function-url, scaleway, cloudevents, raw; did you mean 'aws-v";
    assert!(refused.stderr.contains(expected), "{refused:?}");
    let refused = run(trine(&folder, &["serve", "--event-format", "aws_v1"]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("did you mean 'aws-v1'?"), "{refused:?}");
}

#[test]
fn a_load_balancer_takes_no_more_than_a_megabyte() {
    let (file, source) = HANDLERS[0];
    let (_folder, served) = served(file, source, &["--event-format", "alb"]);
    assert_eq!(served.post("/event", &"x".repeat(1024 * 1024 + 1)).status, 413);
    // In the event the body is a part of a result that would be too large.
    let reply = served.post("/event", &"x".repeat(1024 * 1024));
    assert_eq!(reply.status, 502);
    assert!(reply.text().contains("1048576 are allowed"), "{}", reply.text());
}

const FUNCTIONS: &str = "/2015-03-31/functions";

#[test]
fn every_function_is_reached_by_its_name_through_the_invoke_api() {
    for (file, source) in HANDLERS {
        let folder = Folder::new(&[(file, source), ("other.mjs", HANDLERS[0].1)]);
        let served = Served::start(&folder, &["--workers", "1"]);
        let invoke = |name: &str, headers: &[(&str, &str)], body: &str| {
            let path = format!("{FUNCTIONS}/{name}/invocations");
            let mut connection = Connection::open(served.address);
            connection.exchange("POST", &path, headers, body.as_bytes())
        };
        for name in [
            "app",
            "app:live",
            "012345678912:function:app",
            "arn%3Aaws%3Alambda%3Aeu-west-1%3A012345678912%3Afunction%3Aapp",
        ] {
            let reply = invoke(name, &[], r#"{"n":1}"#);
            assert_eq!((reply.status, &reply.json()["event"]), (200, &json!({"n": 1})), "{name}");
            assert_eq!(reply.header("x-amz-executed-version"), Some("$LATEST"));
            assert_eq!(reply.header("x-amzn-requestid"), reply.json()["id"].as_str());
        }
        assert_eq!(invoke("app", &[], "").json()["event"], json!({}));
        let object = invoke("app", &[], r#"{"what":"/teapot"}"#);
        assert_eq!((object.status, &object.json()["statusCode"]), (200, &json!(418)));
        let failed = invoke("app", &[], r#"{"what":"/fail"}"#);
        assert_eq!(
            (failed.status, failed.header("x-amz-function-error")),
            (200, Some("Unhandled"))
        );
        assert_eq!(failed.json()["errorType"], "TypeError");
        let later = invoke("app", &[("x-amz-invocation-type", "Event")], "{}");
        assert_eq!((later.status, later.text()), (202, ""));
        let dry = invoke("app", &[("x-amz-invocation-type", "DryRun")], "{}");
        assert_eq!((dry.status, dry.text()), (204, ""));
        for (name, headers, body, status, kind) in [
            ("nobody", &[][..], "{}", 404, "ResourceNotFoundException"),
            ("app", &[], "{", 400, "InvalidRequestContentException"),
            (
                "app",
                &[("x-amz-invocation-type", "Sometimes")],
                "{}",
                400,
                "InvalidParameterValueException",
            ),
            ("app", &[("x-amz-client-context", "?")], "{}", 400, "InvalidParameterValueException"),
        ] {
            let reply = invoke(name, headers, body);
            assert_eq!((reply.status, reply.header("x-amzn-errortype")), (status, Some(kind)));
            assert_eq!(reply.json()["Type"], "User", "{reply:?}");
        }
        let reply = served.get(&format!("{FUNCTIONS}/app/invocations"));
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    }
}

#[test]
fn an_invocation_by_name_has_the_callers_context() {
    let (file, source) = HANDLERS[0];
    let (_folder, served) = served(file, source, &[]);
    // {"client":{"app_title":"shop"},"custom":{"a":"b"}}
    let encoded = "eyJjbGllbnQiOnsiYXBwX3RpdGxlIjoic2hvcCJ9LCJjdXN0b20iOnsiYSI6ImIifX0=";
    let mut connection = Connection::open(served.address);
    // The only function has the name that Lambda's own emulator gives it, too.
    let path = format!("{FUNCTIONS}/function/invocations");
    let reply = connection.exchange("POST", &path, &[("x-amz-client-context", encoded)], b"{}");
    let client: Value = reply.json()["client"].clone();
    assert_eq!(client, json!({"client": {"app_title": "shop"}, "custom": {"a": "b"}}));
}

/// Functions that answer an event with what its type asks for.
const REPLIERS: [(&str, &str); 3] = [
    (
        "app.mjs",
        "export const handler = (event) => {
           if (event.type === 'fail') throw new TypeError('no');
           if (event.type === 'silent') return;
           if (event.type === 'value') return { got: event };
           return { specversion: '1.0', id: '2', source: '/app', type: 'reply', to: event.id, data: event.data };
         };",
    ),
    (
        "app.py",
        "def handler(event, context):
    if event['type'] == 'fail':
        raise TypeError('no')
    if event['type'] == 'silent':
        return None
    if event['type'] == 'value':
        return {'got': event}
    return {'specversion': '1.0', 'id': '2', 'source': '/app', 'type': 'reply', 'to': event['id'],
            'data': event.get('data')}
",
    ),
    (
        "app.lua",
        "return { handler = function(event)
  if event.type == 'fail' then error({ type = 'TypeError', message = 'no' }) end
  if event.type == 'silent' then return end
  if event.type == 'value' then return { got = event } end
  return { specversion = '1.0', id = '2', source = '/app', type = 'reply', to = event.id, data = event.data }
end }
",
    ),
];

#[test]
fn cloud_events_come_in_three_modes_and_go_out_in_two() {
    for (file, source) in REPLIERS {
        let (_folder, served) = served(file, source, &["--event-format", "cloudevents"]);
        let send = |headers: &[(&str, &str)], body: &str| {
            Connection::open(served.address).exchange("POST", "/", headers, body.as_bytes())
        };
        let binary = |kind: &str, body: &str| {
            let headers = [
                ("ce-specversion", "1.0"),
                ("ce-id", "1"),
                ("ce-source", "/here"),
                ("ce-type", kind),
                ("content-type", "application/json"),
            ];
            send(&headers, body)
        };
        let reply = binary("ask", r#"{"n":1}"#);
        let header = |name| reply.header(name);
        assert_eq!((reply.status, reply.json()), (200, json!({"n": 1})), "{file}");
        assert_eq!((header("ce-type"), header("ce-to")), (Some("reply"), Some("1")), "{file}");
        assert_eq!(header("content-type"), Some("application/json"));
        let silent = binary("silent", "1");
        assert_eq!((silent.status, silent.text()), (204, ""), "{file}");
        let value = binary("value", "[1]").json();
        assert_eq!(
            (&value["got"]["data"], &value["got"]["source"]),
            (&json!([1]), &json!("/here"))
        );
        let failed = binary("fail", "1");
        assert_eq!((failed.status, &failed.json()["errorType"]), (500, &json!("TypeError")));
        let structured = "application/cloudevents+json";
        let event = r#"{"specversion":"1.0","id":"1","source":"/a","type":"ask","data":"x"}"#;
        let reply = send(&[("content-type", structured), ("accept", structured)], event);
        assert_eq!((reply.status, &reply.json()["data"]), (200, &json!("x")), "{file}");
        assert!(reply.header("content-type").unwrap().starts_with(structured), "{reply:?}");
        let batch = ("content-type", "application/cloudevents-batch+json");
        assert_eq!(send(&[batch], &format!("[{event},{event}]")).status, 204, "{file}");
        let failing = event.replace("ask", "fail");
        assert_eq!(send(&[batch], &format!("[{event},{failing}]")).status, 500, "{file}");
        for (content_type, body, status, why) in [
            ("application/json", "{}", 400, "is no CloudEvent"),
            (structured, "{}", 400, "'specversion' is missing"),
            ("application/cloudevents+avro", "x", 415, "are not understood"),
            (batch.1, "[{}]", 400, "event 0 of the batch"),
        ] {
            let reply = send(&[("content-type", content_type)], body);
            assert_eq!(reply.status, status, "{file} {reply:?}");
            assert!(reply.text().contains(why), "{reply:?}");
        }
    }
}
