//! Files of the Serverless Framework for AWS.

use crate::support::{Folder, environment, function, read, refused, routes, triggers};
use std::time::Duration;
use trine_template::{Inputs, Kind};

const ORDERS: &str = r#"service: orders
frameworkVersion: "3"

provider:
  name: aws
  runtime: nodejs22.x
  stage: ${opt:stage, 'dev'}
  region: ${opt:region, 'eu-west-1'}
  memorySize: 512
  timeout: 29
  environment:
    STAGE: ${sls:stage}
    TABLE: !Ref OrdersTable
    NAME: ${self:service}-${self:provider.stage}
  layers:
    - !Ref ToolsLambdaLayer
  httpApi:
    cors: true

custom:
  level: { dev: debug, prod: "${env:LEVEL, 'warn'}" }
  shared: &shared
    A: a
    B: b

layers:
  tools:
    path: layers/tools

functions:
  list:
    handler: src/list.handler
    events:
      - httpApi: GET /orders
      - http: { path: "v1/orders/{id}", method: get, cors: true, authorizer: aws_iam }
      - http: POST v1/orders
      - schedule: rate(1 hour)
    environment:
      LEVEL: ${self:custom.level.${sls:stage}}
      REGION: ${aws:region}
      ACCOUNT: "arn:aws:sns:${aws:region}:${aws:accountId}:x"
      CLOUD: !Sub "${AWS::Region}-${self:service}"
      <<: *shared
  all:
    handler: src/all.handler
    runtime: python3.13
    timeout: 5
    layers: []
    httpApi: { payload: "1.0" }
    events:
      - httpApi: "*"
      - httpApi: { method: "*", path: "/x/{proxy+}" }
      - sqs: arn:aws:sqs:eu-west-1:1:q
      - alb: { listenerArn: x, priority: 1, conditions: { path: /alb/*, method: [GET, POST] } }
  web:
    handler: src/web.handler
    url: true
"#;

#[test]
fn a_file_becomes_functions_with_routes_and_variables() {
    let folder = Folder::with(&[("serverless.yml", ORDERS)]);
    let project = folder.read("serverless.yml").unwrap();
    assert_eq!(project.kind, Kind::Serverless);
    let list = function(&project, "list");
    assert_eq!(list.deployed_name.as_deref(), Some("orders-dev-list"));
    assert_eq!((&*list.handler, list.runtime.as_deref()), ("src/list.handler", Some("nodejs22.x")));
    assert_eq!(list.folder, folder.0.path());
    assert_eq!((list.timeout, list.memory_mb), (Some(Duration::from_secs(29)), Some(512)));
    assert_eq!(list.layers, [folder.path("layers/tools")]);
    assert_eq!(list.line, 31);
    assert_eq!(
        routes(list),
        ["GET /orders aws-v2", "GET /v1/orders/{id} aws-v1", "POST /v1/orders aws-v1"]
    );
    assert_eq!(triggers(list), "schedule");
    assert_eq!(
        environment(list),
        "STAGE=dev TABLE=OrdersTable NAME=orders-dev LEVEL=debug REGION=eu-west-1 \
         ACCOUNT=arn:aws:sns:eu-west-1:123456789012:x CLOUD=eu-west-1-orders A=a B=b"
    );
    let all = function(&project, "all");
    assert_eq!(all.timeout, Some(Duration::from_secs(5)));
    assert!(all.layers.is_empty());
    assert_eq!(
        routes(all),
        [
            "ANY / aws-v1",
            "ANY /{proxy+} aws-v1",
            "ANY /x/{proxy+} aws-v1",
            "GET,POST /alb alb",
            "GET,POST /alb/{proxy+} alb"
        ]
    );
    assert_eq!(triggers(all), "sqs");
    let web = function(&project, "web");
    assert_eq!(
        routes(web),
        ["ANY /web function-url at /web", "ANY /web/{proxy+} function-url at /web"]
    );
    let notes = folder.notes(&project);
    for part in
        ["authorizer of list", "cors of list", "httpApi.cors", "the reference to OrdersTable"]
    {
        assert!(notes.iter().any(|note| note.contains(part)), "{part} {notes:#?}");
    }
    assert_eq!(notes.len(), 4, "{notes:#?}");
}

#[test]
fn options_and_the_environment_choose_values() {
    let folder = Folder::with(&[("serverless.yml", ORDERS)]);
    let mut inputs = Inputs::default();
    inputs.options.insert("stage".into(), "prod".into());
    inputs.environment.insert("LEVEL".into(), "error".into());
    let project = folder.read_with("serverless.yml", &inputs).unwrap();
    let variables = environment(function(&project, "list"));
    assert!(variables.contains("STAGE=prod ") && variables.contains("LEVEL=error"), "{variables}");
}

#[test]
fn what_version_4_has_is_understood_too() {
    let folder = Folder::with(&[
        (
            "serverless.yml",
            "service: { name: four }
frameworkVersion: '4'
stages:
  default: { params: { a: 1, b: 2 } }
  dev: { params: { b: 3 } }
provider: { name: aws, runtime: nodejs22.x }
functions:
  f:
    handler: f.handler
    environment: { A: '${param:a}', B: '${param:b}', C: '${env:FROM_FILE}', D: '${env:STAGED}' }
",
        ),
        (".env", "FROM_FILE=x\nSTAGED=general\n"),
        (".env.dev", "STAGED=dev\n"),
    ]);
    let project = folder.read("serverless.yml").unwrap();
    assert_eq!(environment(&project.functions[0]), "A=1 B=3 C=x D=dev");
    assert_eq!(folder.notes(&project), [""; 0]);
}

#[test]
fn functions_may_lie_in_other_files_and_have_notes_with_their_names() {
    let folder = Folder::with(&[
        (
            "serverless.yml",
            "service: s
provider: aws
functions:
  - ${file(./functions/one.yml)}
  - two: ${file(functions/two.json):inner.two}
  - three: { handler: c.handler, environment: '${file(env.${sls:stage}.yml):vars}' }
",
        ),
        ("functions/one.yml", "\none:\n  handler: a.handler\n  events:\n    - httpApi: GT /x\n"),
        ("functions/two.json", r#"{"inner": {"two": {"handler": "b.handler"}}}"#),
        ("env.dev.yml", "vars:\n  X: ${self:service}\n"),
    ]);
    let project = folder.read("serverless.yml").unwrap();
    let handlers: Vec<_> = project.functions.iter().map(|function| &*function.handler).collect();
    assert_eq!(handlers, ["a.handler", "b.handler", "c.handler"]);
    assert_eq!(environment(function(&project, "three")), "X=s");
    let notes = folder.notes(&project);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("./functions/one.yml:5: the event httpApi of one: 'GT'")
            || notes[0].starts_with("functions/one.yml:5: the event httpApi of one: 'GT'"),
        "{notes:?}"
    );
}

#[test]
fn json_and_the_short_provider_are_read() {
    let project = read(
        "serverless.json",
        r#"{"service": "s", "provider": "aws", "functions": {"f": {"handler": "f.h", "events": [{"http": "any /{proxy+}"}]}}}"#,
    );
    assert_eq!(routes(&project.functions[0]), ["ANY /{proxy+} aws-v1"]);
}

#[test]
fn what_only_the_cloud_knows_is_noted_and_left_out() {
    let folder = Folder::with(&[(
        "serverless.yml",
        "service: s
provider: { name: aws, runtime: nodejs22.x, vpc: { subnetIds: [a] } }
functions:
  f:
    handler: f.h
    package: { artifact: f.zip }
    environment:
      A: ${ssm:/path/key}
      B: ${env:MISSING}
      C: ${cf:stack.output, 'fallback'}
      D: x-${opt:nothing}
      E: ${file(./code.js):value}
      F: ${slf:service}
    events:
      - http: { path: x, method: get, integration: lambda }
      - websocket
  image: { image: { name: x } }
  go: { handler: bootstrap, runtime: provided.al2023 }
  off: null
",
    )]);
    let project = folder.read("serverless.yml").unwrap();
    let names: Vec<_> = project.functions.iter().map(|function| &*function.name).collect();
    assert_eq!(names, ["f", "image", "go"]);
    let f = function(&project, "f");
    assert_eq!(environment(f), "C=fallback D=x-");
    assert_eq!(triggers(f), "websocket");
    assert!(function(&project, "image").not_served.is_some());
    assert!(function(&project, "go").not_served.is_some());
    let notes = folder.notes(&project);
    for part in [
        ":2: vpc of f",
        ":6: package.artifact",
        ":8: ${ssm:/path/key}: the source 'ssm' exists only in the cloud",
        ":9: ${env:MISSING}: the environment variable MISSING is not set: it is left out",
        ":11: ${opt:nothing}: the option nothing is not given",
        ":12: ${file(./code.js):value}: './code.js' is a program",
        ":13: ${slf:service}: the source 'slf' exists only in the cloud or in plug-ins, 'self' is one",
        ":15: integration lambda of f",
    ] {
        assert!(notes.iter().any(|note| note.contains(part)), "{part} {notes:#?}");
    }
    assert!(!notes.iter().any(|note| note.contains("cf:")), "{notes:#?}");
}

#[test]
fn what_is_no_function_is_an_error_with_its_place() {
    let of =
        |functions: &str| format!("service: s\nprovider: {{ name: aws }}\nfunctions:\n{functions}");
    let message = refused("serverless.yml", &of("  f: x.handler\n"));
    assert_eq!(message, "serverless.yml:4:3: the function f is a table, and this is a text");
    let message = refused("serverless.yml", &of("  f: { handler: a.b, events: x }\n"));
    assert!(message.contains("events is a list, and this is a text"), "{message}");
    let message = refused("serverless.yml", &of("  - 5\n"));
    assert!(message.contains("functions is a table"), "{message}");
}
