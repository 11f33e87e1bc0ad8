//! Functions that were written for Scaleway: their events, their answers, and the way of a request to them.

use super::tokens::{RSA_PUBLIC, signed};
use crate::support::{Connection, Folder, Reply, Served, binary, command, eventually, run, trine};
use serde_json::{Value, json};
use std::path::Path;

/// Handlers that answer by what the path says.
const HANDLERS: [(&str, &str); 3] = [
    (
        "handler.mjs",
        "const results = {
           '/created': { statusCode: 201, headers: { 'X-List': ['a', 'b'], 'x-flag': true }, body: { ok: true } },
           '/body': { body: 'hello' },
           '/whole': { message: 'hello' },
           '/text': JSON.stringify({ statusCode: 202, body: 'from text' }),
           '/word': 'plain',
           '/number': 12.5,
           '/nothing': null,
           '/bytes': { statusCode: 200, isBase64Encoded: true, body: '/wAB' },
           '/own': { statusCode: 200, headers: { 'Access-Control-Allow-Origin': 'https://a.example' } },
           '/wrong': { statusCode: 'many' },
           '/again': { statusCode: 503, body: 'again' },
         };
         export const handle = (event, context) => {
           if (typeof event === 'string') { console.log(`message ${event}`); return { statusCode: 500 }; }
           if (event.path === '/fail') throw new TypeError('no anvil left');
           if (event.path in results) return results[event.path];
           const { headers } = event;
           const found = [headers['X-My-Name'], headers['x-my-name'], headers['X-Missing'] ?? null];
           return { statusCode: 200, body: { event, context, found } };
         };",
    ),
    (
        "handler.py",
        "import json

RESULTS = {
    '/created': {'statusCode': 201, 'headers': {'X-List': ['a', 'b'], 'x-flag': True}, 'body': {'ok': True}},
    '/body': {'body': 'hello'},
    '/whole': {'message': 'hello'},
    '/text': json.dumps({'statusCode': 202, 'body': 'from text'}),
    '/word': 'plain',
    '/number': 12.5,
    '/nothing': None,
    '/bytes': {'statusCode': 200, 'isBase64Encoded': True, 'body': '/wAB'},
    '/own': {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': 'https://a.example'}},
    '/wrong': {'statusCode': 'many'},
    '/again': {'statusCode': 503, 'body': 'again'},
}

def handle(event, context):
    if isinstance(event, str):
        print('message', event)
        return {'statusCode': 500}
    if event['path'] == '/fail':
        raise TypeError('no anvil left')
    if event['path'] in RESULTS:
        return RESULTS[event['path']]
    headers = event['headers']
    found = [headers['X-My-Name'], headers['x-my-name'], headers.get('X-Missing')]
    return {'statusCode': 200, 'body': {'event': event, 'context': context, 'found': found}}
",
    ),
    (
        "handler.lua",
        "local results = {
  ['/created'] = { statusCode = 201, headers = { ['X-List'] = { 'a', 'b' }, ['x-flag'] = true }, body = { ok = true } },
  ['/body'] = { body = 'hello' },
  ['/whole'] = { message = 'hello' },
  ['/text'] = trine.json.encode({ statusCode = 202, body = 'from text' }),
  ['/word'] = 'plain',
  ['/number'] = 12.5,
  ['/nothing'] = trine.json.null,
  ['/bytes'] = { statusCode = 200, isBase64Encoded = true, body = '/wAB' },
  ['/own'] = { statusCode = 200, headers = { ['Access-Control-Allow-Origin'] = 'https://a.example' } },
  ['/wrong'] = { statusCode = 'many' },
  ['/again'] = { statusCode = 503, body = 'again' },
}
return { handle = function(event, context)
  if type(event) == 'string' then
    print('message ' .. event)
    return { statusCode = 500 }
  end
  if event.path == '/fail' then error({ type = 'TypeError', message = 'no anvil left' }) end
  local result = results[event.path]
  if result ~= nil then return result end
  local headers = event.headers
  local found = { headers['X-My-Name'], headers['x-my-name'], headers['X-Missing'] or trine.json.null }
  return { statusCode = 200, body = { event = event, context = context, found = found } }
end }
",
    ),
];

const JSON: Option<&str> = Some("application/json");
const TEXT: Option<&str> = Some("text/plain; charset=utf-8");

/// Serves a handler in the form of Scaleway's events.
fn served(file: &str, source: &str, arguments: &[&str]) -> (Folder, Served) {
    let folder = Folder::new(&[(file, source)]);
    let handler = format!("{file}:handle");
    let form = [&handler, "--workers", "1", "--event-format", "scaleway"];
    let served = Served::start(&folder, &[&form, arguments].concat());
    (folder, served)
}

/// Starts the binary as the platform starts its runtime: with variables alone.
fn started(program: impl AsRef<Path>, folder: &Folder, variables: &[(&str, &str)]) -> Served {
    let mut command = command(program.as_ref(), folder);
    command.env("PORT", "0").env("SCW_HANDLER_PATH", folder.file("handler"));
    command.env("SCW_HANDLER_NAME", "handle").envs(variables.iter().copied());
    Served::of(command)
}

/// Returns what a reply says about other origins.
fn origins(reply: &Reply) -> [Vec<&str>; 2] {
    [reply.all("access-control-allow-origin"), reply.all("access-control-allow-headers")]
}

#[test]
fn events_and_contexts_are_those_of_the_platform() {
    for (file, source) in HANDLERS {
        let (_folder, served) = served(file, source, &[]);
        let headers = [("x-my-name", "a"), ("X-MY-NAME", "b"), ("content-type", "text/plain")];
        let reply = served.request("PUT", "/a%20b?x=1&x=2&y&z=a+b", &headers, b"hello");
        let seen = reply.json();
        assert_eq!(
            seen["event"],
            json!({
                "resource": "",
                "path": "/a b",
                "httpMethod": "PUT",
                "headers": {"X-My-Name": "a,b", "Content-Type": "text/plain", "Content-Length": "5"},
                "multiValueHeaders": null,
                "queryStringParameters": {"x": "2", "y": "", "z": "a b"},
                "multiValueQueryStringParameters": null,
                "pathParameters": null,
                "stageVariables": {},
                "requestContext": {
                    "accountId": "", "resourceId": "", "stage": "", "requestId": "", "resourcePath": "",
                    "authorizer": null, "httpMethod": "PUT", "apiId": "",
                },
                "body": "hello",
            }),
            "{file}"
        );
        let context =
            json!({"memoryLimitInMb": 128, "functionName": "handler", "functionVersion": ""});
        assert_eq!(seen["context"], context, "{file}");
        assert_eq!(seen["found"], json!(["a,b", "a,b", null]), "{file}");
        for (body, expected, is_marked) in [
            (&b""[..], "", true),
            (b"test", "test", true),
            (b"aGVs\r\nbG8=", "aGVs\r\nbG8=", true),
            (b"hello", "hello", false),
            (b"\xff\x00", "/wA=", true),
        ] {
            let seen = served.request("POST", "/", &[("x-my-name", "a")], body).json();
            assert_eq!(seen["event"]["body"], expected, "{file} {body:?}");
            let mark = if is_marked { json!(true) } else { Value::Null };
            assert_eq!(seen["event"]["isBase64Encoded"], mark, "{file} {body:?}");
        }
    }
}

#[test]
fn results_are_answers_as_on_the_platform() {
    for (file, source) in HANDLERS {
        let (_folder, served) = served(file, source, &[]);
        for (path, status, content_type, body) in [
            ("/created", 201, JSON, r#"{"ok":true}"#),
            ("/body", 200, TEXT, "hello"),
            ("/whole", 200, JSON, r#"{"message":"hello"}"#),
            ("/text", 202, TEXT, "from text"),
            ("/word", 200, TEXT, "plain"),
            ("/number", 200, JSON, "12.5"),
            ("/nothing", 200, TEXT, ""),
        ] {
            let reply = served.get(path);
            let told = (reply.status, reply.header("content-type"), reply.text());
            assert_eq!(told, (status, content_type, body), "{file} {path}");
            assert_eq!(origins(&reply), [["*"], ["Content-Type"]], "{file} {path}");
        }
        let created = served.get("/created");
        assert_eq!((created.all("x-list"), created.all("x-flag")), (vec!["a", "b"], vec!["true"]));
        assert_eq!(served.get("/bytes").body, b"\xff\x00\x01", "{file}");
        let own = served.get("/own");
        assert_eq!(origins(&own), [["https://a.example"], ["Content-Type"]], "{file}");
        let preflight = served.request("OPTIONS", "/created", &[("origin", "https://a")], b"");
        assert_eq!((preflight.status, origins(&preflight)[0].len()), (201, 1), "{file}");
    }
}

#[test]
fn what_goes_wrong_is_told_in_the_words_of_the_platform() {
    for (file, source) in HANDLERS {
        let told = |path: &str, arguments: &[&str]| {
            let (_folder, served) = served(file, source, arguments);
            let reply = served.get(path);
            assert_eq!(origins(&reply), [["*"], ["Content-Type"]], "{file} {path}");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{file}");
            assert_eq!(reply.header("content-type"), TEXT, "{file}");
            (reply.status, reply.text().to_owned())
        };
        let failed = "An error occured during handler execution: ";
        assert_eq!(told("/fail", &[]), (500, format!("{failed}no anvil left\n")), "{file}");
        let (status, text) = told("/wrong", &[]);
        assert_eq!(status, 500, "{file}");
        assert!(text.starts_with(failed) && text.contains("statusCode is \"many\""), "{text}");
        for path in ["/fail", "/wrong"] {
            let hidden = (500, format!("{failed}Internal Server Error\n"));
            assert_eq!(told(path, &["--hide-errors"]), hidden, "{file}");
        }
    }
    for (file, source, why) in [
        ("handler.mjs", "import './gone.mjs'; export const handle = () => 1;", "Function Handler"),
        (
            "handler.py",
            "import gone\ndef handle(event, context):\n    return 1\n",
            "Function Handler",
        ),
        ("handler.lua", "require('gone')\nreturn { handle = function() end }", "Function Handler"),
        ("handler.mjs", "export const other = () => 1;", "Provided Handler"),
    ] {
        let (_folder, served) = served(file, source, &[]);
        let reply = served.get("/");
        assert_eq!(reply.status, 500, "{file} {reply:?}");
        let expected = format!("An error occured during handler execution: {why} does not exist, ");
        assert!(reply.text().starts_with(&expected), "{file} {reply:?}");
    }
}

#[test]
fn what_has_a_function_called_decides_about_the_answer() {
    for (file, source) in HANDLERS {
        let (_folder, served) = served(file, source, &[]);
        let send = |path: &str, kind: &str| {
            let headers = [("SCW_TRIGGER_TYPE", kind), ("x-my-name", "a")];
            let reply = served.request("POST", path, &headers, b"21 degrees");
            (reply.status, reply.text().to_owned())
        };
        // The message is the event, and nobody waits for what it says.
        assert_eq!(send("/", "mqtt"), (200, "executed properly".into()), "{file}");
        // What is printed comes by another way than the answer.
        eventually("the message is printed", || {
            served.process.stdout().contains("message 21 degrees").then_some(())
        });
        for kind in ["cron", "nats", "sqs", "queue"] {
            assert_eq!(send("/created", kind), (200, "executed properly".into()), "{file}");
            assert_eq!(send("/again", kind), (503, "again".into()), "{file}");
        }
        assert_eq!(send("/body", "http"), (200, "hello".into()), "{file}");
        assert_eq!(send("/fail", "mqtt").0, 200, "{file}");
        assert_eq!(send("/fail", "cron").0, 500, "{file}");
        let unknown = "Trigger Type is not supported by Scaleway Functions Runtime\n";
        assert_eq!(send("/", "fax"), (400, unknown.into()), "{file}");
    }
}

#[test]
fn handlers_of_node_answer_by_callback_too() {
    let source = "export const handle = (event, context, callback) => {
        switch (event.path) {
          case '/at-once': callback(null, 'at once'); return 'too late';
          case '/later': setTimeout(() => callback(null, { statusCode: 202, body: 'later' }), 5); return;
          case '/promise': setTimeout(() => callback(null, 'later'), 5); return Promise.resolve();
          case '/returned': return 'returned';
          case '/wrong': callback(new Error('no anvil left')); return;
          case '/text': callback('no anvil left'); return;
          case '/open': setInterval(() => {}, 60_000); callback(undefined, 'open'); return;
        }
      };";
    let (_folder, served) = served("handler.mjs", source, &[]);
    for (path, status, body) in [
        ("/at-once", 200, "at once"),
        ("/later", 202, "later"),
        ("/promise", 200, "later"),
        ("/returned", 200, "returned"),
        ("/wrong", 500, "An error occured during handler execution: no anvil left\n"),
        ("/text", 500, "An error occured during handler execution: no anvil left\n"),
        // It does not wait for the event loop to empty, as Lambda's does.
        ("/open", 200, "open"),
    ] {
        let reply = served.get(path);
        assert_eq!((reply.status, reply.text()), (status, body), "{path}");
    }
}

#[test]
fn the_variables_of_the_platform_alone_start_a_server() {
    for (file, source) in HANDLERS {
        let folder = Folder::new(&[(file, source)]);
        let variables = [
            ("SCW_PUBLIC", "true"),
            ("SCW_APPLICATION_NAME", "shop"),
            ("SCW_APPLICATION_VERSION", "7"),
            ("SCW_APPLICATION_MEMORY", "512"),
        ];
        let path = folder.file(file);
        let with_file = [&variables[..], &[("SCW_HANDLER_PATH", &*path)]].concat();
        let context =
            json!({"memoryLimitInMb": 512, "functionName": "shop", "functionVersion": "7"});
        for program in [binary().into(), folder.bootstrap()] {
            for variables in [&variables[..], &with_file] {
                let served = started(&program, &folder, variables);
                let seen = served.request("GET", "/any/where", &[("x-my-name", "a")], b"").json();
                assert_eq!(
                    (&seen["context"], &seen["event"]["path"]),
                    (&context, &json!("/any/where"))
                );
            }
        }
        let served = started(binary(), &folder, &variables);
        assert_eq!(
            served.get("/fail").text(),
            "An error occured during handler execution: no anvil left\n"
        );
        let (favicon, robots) = (served.get("/favicon.ico"), served.get("/robots.txt"));
        for reply in [favicon, robots] {
            assert_eq!((reply.status, reply.text(), reply.header("content-type")), (404, "", None));
            assert_eq!(origins(&reply), [["*"], ["Content-Type"]], "{file}");
        }
        let variables = [&variables[..], &[("SCW_ALLOW_FAVICON", "true")]].concat();
        let served = started(binary(), &folder, &variables);
        assert_eq!(served.request("GET", "/favicon.ico", &[("x-my-name", "a")], b"").status, 200);
        assert_eq!(served.get("/robots.txt").status, 404);
    }
}

#[test]
fn a_handler_needs_no_name_and_python_finds_its_packages() {
    let folder = Folder::new(&[
        (
            "handler.py",
            "import helper, vendored\n\ndef handle(event, context):\n    return helper.NAME + vendored.NAME\n",
        ),
        ("helper.py", "NAME = 'a'\n"),
        ("package/vendored/__init__.py", "NAME = 'b'\n"),
        ("other.mjs", "export const handler = () => 'usual';"),
    ]);
    let public = ("SCW_PUBLIC", "true");
    let served = started(binary(), &folder, &[public, ("SCW_HANDLER_NAME", "")]);
    assert_eq!(served.get("/").text(), "ab");
    let path = folder.file("other");
    let variables = [public, ("SCW_HANDLER_NAME", ""), ("SCW_HANDLER_PATH", &*path)];
    let served = started(binary(), &folder, &variables);
    assert_eq!(served.get("/").text(), "usual");
    // A word of the command line says otherwise.
    let mut command = trine(&folder, &["serve", "other.mjs", "--port", "0"]);
    command.env("SCW_HANDLER_PATH", folder.file("handler"));
    let served = Served::of(command);
    assert_eq!(
        (served.get("/").text(), served.get("/").header("access-control-allow-origin")),
        ("usual", None)
    );
}

#[test]
fn a_handler_that_is_not_there_ends_the_start_with_a_reason() {
    let folder = Folder::new(&[]);
    let mut missing = trine(&folder, &[]);
    missing.env("SCW_HANDLER_PATH", folder.file("handler")).env("PORT", "0");
    let finished = run(missing);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    assert!(finished.stderr.contains("handler"), "{finished:?}");
    let folder = Folder::new(&[(HANDLERS[0].0, HANDLERS[0].1)]);
    let refused = run(trine(&folder, &["serve", "handler.mjs:handle", "--local", "--port", "0"]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("add --event-format scaleway"), "{refused:?}");
}

#[test]
fn a_module_that_does_not_load_is_told_in_the_words_of_its_runtime() {
    let words = "An error occured during handler execution: Function Handler does not exist, check that you provided the \
                 right HANDLER parameter (path to your module with exported function to use)";
    for (file, source, end) in [
        (
            "handler.py",
            "import no_such_anvil\ndef handle(event, context): pass\n",
            ", check your function logs\n",
        ),
        ("handler.mjs", "import 'no-such-anvil';\nexport const handle = () => {};\n", "\n"),
    ] {
        let (_folder, served) = served(file, source, &[]);
        let reply = served.get("/");
        assert_eq!((reply.status, reply.text()), (500, &*format!("{words}{end}")), "{file}");
    }
}

#[test]
fn each_request_is_told_where_trine_stands_in_for_the_core_runtime() {
    let folder = Folder::new(&[(HANDLERS[0].0, HANDLERS[0].1)]);
    let served = started(binary(), &folder, &[("SCW_PUBLIC", "true")]);
    let count = || {
        let log = served.process.stdout() + &served.process.stderr();
        log.matches("Function Triggered").count()
    };
    assert_eq!(served.get("/body").status, 200);
    assert_eq!(served.get("/robots.txt").status, 404);
    eventually("both are told", || (count() == 2).then_some(()));
    let (_folder, other) = self::served(HANDLERS[0].0, HANDLERS[0].1, &[]);
    assert_eq!(other.get("/body").status, 200);
    assert!(!(other.process.stdout() + &other.process.stderr()).contains("Function Triggered"));
}

#[test]
fn bodies_have_a_largest_size_whatever_announces_them() {
    let folder = Folder::new(&[(HANDLERS[0].0, HANDLERS[0].1)]);
    let variables = [("SCW_PUBLIC", "true"), ("SCW_PAYLOAD_MAX_SIZE", "10")];
    let served = started(binary(), &folder, &variables);
    let name = [("x-my-name", "a")];
    assert_eq!(served.request("POST", "/", &name, b"0123456789").status, 200);
    let text = "Request payload too large, max payload size = 10 bytes\n";
    let check = |reply: Reply| {
        assert_eq!((reply.status, reply.text(), reply.header("content-type")), (413, text, TEXT));
        assert_eq!(origins(&reply), [["*"], ["Content-Type"]]);
    };
    check(served.request("POST", "/", &name, b"0123456789a"));
    let mut connection = Connection::open(served.address);
    connection.write(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    connection.write(b"6\r\n012345\r\n6\r\n6789ab\r\n0\r\n\r\n");
    check(connection.receive("POST"));
    assert_eq!(served.request("POST", "/", &name, b"1").status, 200);
}

#[test]
fn a_private_function_wants_a_token_for_it() {
    let folder = Folder::new(&[(HANDLERS[0].0, HANDLERS[0].1)]);
    let key = RSA_PUBLIC.replace('\n', "\\n");
    let ids = [("SCW_NAMESPACE_ID", "n"), ("SCW_APPLICATION_ID", "a")];
    let with_key = [&ids[..], &[("SCW_PUBLIC_KEY", &*key)]].concat();
    let served = started(binary(), &folder, &with_key);
    let send = |served: &Served, headers: &[(&str, &str)]| {
        let reply = served.request("GET", "/body", headers, b"");
        assert_eq!(origins(&reply), [["*"], ["Content-Type"]]);
        (reply.status, reply.text().to_owned())
    };
    let of =
        |claim: Value| signed(&json!({"application_claim": [claim], "exp": 4_102_444_800_u64}));
    let token = of(json!({"namespace_id": "n", "application_id": "a"}));
    for name in ["SCW-Functions-Token", "SCW_FUNCTIONS_TOKEN", "X-Auth-Token"] {
        assert_eq!(send(&served, &[(name, &token)]), (200, "hello".into()), "{name}");
    }
    assert_eq!(send(&served, &[]), (401, "Unauthorized\n".into()));
    let bearer = format!("Bearer {token}");
    for wrong in ["x", &bearer, &token[..token.len() - 2], &signed(&json!({}))] {
        let told = send(&served, &[("SCW-Functions-Token", wrong)]);
        assert_eq!(told, (401, "authorization token not valid\n".into()), "{wrong}");
    }
    let other = of(json!({"namespace_id": "x", "application_id": "x"}));
    assert_eq!(send(&served, &[("X-Auth-Token", &other)]), (403, "Forbidden\n".into()));
    // Who asks comes before how much is sent.
    let large = served.request("POST", "/", &[("content-length", "99999999")], b"");
    assert_eq!(large.status, 401);
    assert_eq!(served.get("/robots.txt").status, 404);
    let invoke = served.post("/2015-03-31/functions/handler/invocations", "{}");
    assert_eq!(invoke.status, 401, "{invoke:?}");

    let served = started(binary(), &folder, &ids);
    let told = send(&served, &[("X-Auth-Token", &token)]);
    assert_eq!(told, (500, "function runtime not setup correctly\n".into()));
    let warning = "nobody can call private functions: SCW_PUBLIC_KEY: there is no key";
    assert!(served.process.stderr().contains(warning), "{:?}", served.process);
    let served = started(binary(), &folder, &[("SCW_PUBLIC_KEY", &key)]);
    assert_eq!(send(&served, &[("X-Auth-Token", &token)]), (403, "Forbidden\n".into()));
}

#[test]
fn local_requests_come_as_through_the_ingress() {
    for (file, source) in HANDLERS {
        let (_folder, served) = served(file, source, &["--local"]);
        let reply =
            served.request("GET", "/", &[("x-my-name", "a"), ("x-forwarded-for", "9.9.9.9")], b"");
        let headers = reply.json()["event"]["headers"].clone();
        for (name, value) in [
            ("Forwarded", "for=127.0.0.1;proto=http"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("K-Proxy-Request", "activator"),
            ("X-Forwarded-Proto", "http"),
            ("X-Envoy-External-Address", "127.0.0.1"),
        ] {
            assert_eq!(headers[name], value, "{file} {headers}");
        }
        assert_eq!(headers["X-Request-Id"].as_str().map(str::len), Some(36), "{headers}");
        for path in ["/", "/fail", "/robots.txt"] {
            assert_eq!(served.get(path).header("server"), Some("envoy"), "{file} {path}");
        }
    }
    let folder = Folder::new(&[(HANDLERS[0].0, HANDLERS[0].1)]);
    let mut command = trine(&folder, &["serve", "--local"]);
    command.env("SCW_HANDLER_PATH", folder.file("handler")).env("PORT", "0");
    // Nobody has tokens yet who develops a function.
    assert_eq!(Served::of(command).get("/body").text(), "hello");
}

#[test]
fn a_function_of_a_folder_may_be_one_of_scaleways() {
    let source = "export const handler = (event) => ({ body: String(event.httpMethod) });";
    let folder = Folder::new(&[
        ("theirs.mjs", source),
        ("ours.mjs", source),
        ("trine.toml", "[[function]]\nname = \"theirs\"\nevent-format = \"scaleway\"\n"),
    ]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let (theirs, ours) = (served.get("/theirs/a"), served.get("/ours/a"));
    assert_eq!((theirs.text(), origins(&theirs)[0].len()), ("GET", 1));
    assert_eq!(origins(&ours)[0].len(), 0, "{ours:?}");
}
