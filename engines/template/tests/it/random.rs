//! Files made at random, and real ones with parts changed: none is a panic, none takes long, and errors have places.

use crate::support::Folder;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use trine_template::{Inputs, Project};

/// Files of each kind to be changed.
const SEEDS: [(&str, &str); 6] = [
    (
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31
Parameters: { P: { Type: String, Default: dev }, L: { Type: CommaDelimitedList, Default: 'a,b' } }
Mappings: { M: { dev: { k: v } } }
Conditions: { C: !Equals [!Ref P, dev], D: !Not [!Condition C], E: !And [!Condition C, !Condition D] }
Globals: { Function: { Runtime: nodejs22.x, Environment: { Variables: { G: !Sub '${P}-${AWS::Region}' } } } }
Resources:
  L1: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: layer } }
  F:
    Type: AWS::Serverless::Function
    Condition: C
    Properties:
      CodeUri: src
      Handler: app.handler
      Layers: [!Ref L1]
      FunctionUrlConfig: { AuthType: NONE }
      Environment:
        Variables: { A: !FindInMap [M, !Ref P, k], B: !Join ['-', !Ref L], C: !Select [0, !Ref L], D: !If [C, x, !Ref AWS::NoValue] }
      Events: { E: { Type: Api, Properties: { Path: '/x/{id}/{p+}', Method: get } }, Q: { Type: SQS } }
",
    ),
    (
        "api.json",
        r#"{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Handler":"a.b","Code":{"S3Bucket":"b"}},
"Metadata":{"aws:asset:path":"../x"}},"R":{"Type":"AWS::ApiGatewayV2::Route","Properties":{"RouteKey":"GET /x","Target":
{"Fn::Join":["/",["integrations",{"Ref":"I"}]]}}},"I":{"Type":"AWS::ApiGatewayV2::Integration","Properties":{"IntegrationUri":
{"Fn::GetAtt":["F","Arn"]}}},"A":{"Type":"AWS::Serverless::Api","Properties":{"DefinitionBody":{"paths":{"/y":{"get":
{"x-amazon-apigateway-integration":{"uri":{"Fn::Sub":"x:function:${F}/invocations"}}}}}}}}}}"#,
    ),
    (
        "serverless.yml",
        "service: s
provider: { name: aws, stage: \"${opt:stage, 'dev'}\", environment: { X: '${self:custom.a}' }, httpApi: { payload: '2.0' } }
custom: { a: '${env:E, self:custom.b}', b: &b { c: 1 }, d: { <<: *b, e: '${self:custom.b.c}' } }
layers: { one: { path: x } }
functions:
  f:
    handler: a.b
    url: { invokeMode: RESPONSE_STREAM }
    environment: { Y: 'x-${self:custom.d.e}', Z: !Ref T }
    layers: [{ Ref: OneLambdaLayer }]
    events: [{ httpApi: 'GET /x/{id}' }, { http: { path: y, method: post } }, { alb: { conditions: { path: '/a/*' } } }, stream]
",
    ),
    (
        "serverless.yml",
        "service: s
provider: { name: scaleway, runtime: node22, env: { A: 1 } }
functions: { f: { handler: a.b, secret: { S: '${env:S}' }, memoryLimit: 128, minScale: 1, timeout: 5s, events: [{ schedule: { rate: x } }] } }
",
    ),
    (
        "func.yaml",
        "specVersion: 0.36.0\nname: n\nruntime: node\nrun: { envs: [{ name: A, value: '{{ env:E }}' }] }\nschema: 1\n",
    ),
    (
        "netlify.toml",
        "[functions]\ndirectory = \"f\"\n[[redirects]]\nfrom = \"/a/*\"\nto = \"/.netlify/functions/:splat\"\nstatus = 200\n",
    ),
];

/// Pieces that mean something somewhere.
const PIECES: [&str; 32] = [
    "!Ref ",
    "!Sub ",
    "!GetAtt ",
    "!Join ",
    "Fn::If",
    "Ref",
    "${",
    "}",
    "${self:",
    "${opt:a, ",
    "*b",
    "&b ",
    "<<: ",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "\n",
    "  ",
    "\t",
    "'",
    "\"",
    "|\n",
    "~",
    "F",
    "AWS::NoValue",
    "{p+}",
    "\u{feff}",
    "ä",
    "#",
];

/// Reads a text as a file, and looks at what comes of it.
fn look(name: &str, text: &str) -> Result<(), TestCaseError> {
    let folder = Folder::with(&[(name, text), ("f/a.js", "exports.handler = 1")]);
    let start = Instant::now();
    let result = Project::read_with(&folder.path(name), &Inputs::default());
    prop_assert!(start.elapsed() < Duration::from_secs(20));
    match result {
        Ok(project) => {
            for function in &project.functions {
                prop_assert!(function.folder.is_absolute());
                prop_assert!(function.not_served.is_some() || !function.handler.is_empty());
                for route in &function.routes {
                    prop_assert!(route.path.starts_with('/'), "{route:?}");
                }
                let mut names: Vec<_> = function.environment.iter().map(|(name, _)| name).collect();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), function.environment.len());
            }
            prop_assert!(project.not_understood.iter().all(|note| note.line > 0));
        }
        Err(error) => {
            // A carriage return alone ends a line, too.
            let lines = text.matches(['\n', '\r']).count() + 2;
            prop_assert!(error.line.is_none_or(|line| line > 0 && line <= lines));
            prop_assert!(!error.message.is_empty());
        }
    }
    Ok(())
}

fn options() -> ProptestConfig {
    // More of them with PROPTEST_CASES.
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(400), failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(options())]

    #[test]
    fn random_text_is_read_or_refused(name in 0..SEEDS.len(), text in ".{0,200}") {
        look(SEEDS[name].0, &text)?;
    }

    #[test]
    fn random_pieces_are_read_or_refused(
        name in 0..SEEDS.len(),
        pieces in proptest::collection::vec(0..PIECES.len(), 0..60),
    ) {
        let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
        look(SEEDS[name].0, &text)?;
    }

    #[test]
    fn changed_files_are_read_or_refused(
        seed in 0..SEEDS.len(),
        changes in proptest::collection::vec((0..10_000_usize, 0..4_usize, 0..40_usize, 0..PIECES.len()), 1..6),
    ) {
        let (name, text) = SEEDS[seed];
        let mut letters: Vec<char> = text.chars().collect();
        for (at, what, length, piece) in changes {
            let at = at % (letters.len() + 1);
            let end = (at + length).min(letters.len());
            match what {
                0 => drop(letters.drain(at..end)),
                1 => drop(letters.splice(at..at, PIECES[piece].chars())),
                2 => drop(letters.splice(at..end, PIECES[piece].chars())),
                _ => {
                    let copy = letters[at..end].to_vec();
                    let to = piece * letters.len() / PIECES.len();
                    drop(letters.splice(to..to, copy));
                }
            }
        }
        look(name, &letters.into_iter().collect::<String>())?;
    }
}
