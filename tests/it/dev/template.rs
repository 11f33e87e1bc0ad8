//! Functions as project files of other tools declare them.

use super::{develops, fails, says, shows};
use crate::support::{Folder, Served, repository, run, trine};
use serde_json::json;

const SAM: &str = "\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Word: { Type: String, Default: one }
Globals:
  Function: { Timeout: 7, Environment: { Variables: { WORD: !Ref Word } } }
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.12
      Events:
        Get: { Type: HttpApi, Properties: { Path: '/greet/{name}', Method: get } }
  Old:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: old/
      Handler: index.handler
      Runtime: nodejs22.x
      Events:
        Any: { Type: Api, Properties: { Path: '/old/{proxy+}', Method: ANY } }
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Jobs.Arn } }
  Jobs: { Type: AWS::SQS::Queue }
";

fn project() -> Folder {
    Folder::new(&[
        ("template.yaml", SAM),
        (
            "src/app.py",
            "import os\ndef handler(event, context):\n    \
             return os.environ['WORD'] + ' ' + event['pathParameters']['name'] + ' ' + event['version']\n",
        ),
        (
            "old/index.mjs",
            "export const handler = async (event) => ({ statusCode: 200, body: event.path + ' ' + event.httpMethod });",
        ),
    ])
}

#[test]
fn a_template_of_sam_is_served_and_changes_with_it() {
    let folder = project();
    let served = develops(&folder, &["--template", "template.yaml"]);
    says(&served, "/greet/ann", "one ann 2.0");
    says(&served, "/old/a/b", "/old/a/b GET");
    fails(&served, "/greet", 404, "no function is served");
    folder.write("template.yaml", SAM.replace("Default: one", "Default: two"));
    says(&served, "/greet/ann", "two ann 2.0");
    folder.write("template.yaml", "Resources: [");
    fails(&served, "/greet/ann", 500, "template.yaml:1");
    folder.write("template.yaml", SAM);
    says(&served, "/greet/ann", "one ann 2.0");
}

#[test]
fn parameters_are_given_and_what_is_not_understood_is_named() {
    let folder = project();
    folder.write(
        "template.yaml",
        SAM.replace(
            "    Properties:\n      CodeUri: old/",
            "    Properties:\n      VpcConfig: { SubnetIds: [a] }\n      CodeUri: old/",
        ),
    );
    let arguments =
        ["serve", "--port", "0", "--template", "template.yaml", "--parameter", "Word=three"];
    let served = Served::of(trine(&folder, &arguments));
    says(&served, "/greet/bo", "three bo 2.0");
    shows(&served, "VpcConfig");
    for (arguments, why) in [
        (&["serve", "--template", "gone.yaml"][..], "gone.yaml"),
        (&["dev", "--template", "gone.yaml"], "there is no such file"),
        (&["serve", "--parameter", "a=b"], "--template"),
        (&["serve", "--template", "template.yaml", "--parameter", "a"], "such as stage=dev"),
        (&["serve", "--template", "template.yaml", "src"], "cannot be used with"),
    ] {
        let finished = run(trine(&folder, arguments));
        assert!(matches!(finished.code, Some(1 | 2)), "{finished:?}");
        assert!(finished.stderr.contains(why), "{arguments:?} {finished:?}");
    }
}

#[test]
fn a_project_of_the_serverless_framework_is_served() {
    let folder = project();
    folder.write(
        "serverless.yml",
        "service: shop\nprovider: { name: aws, runtime: python3.12, stage: \"${opt:stage, 'dev'}\", environment: { WORD: \"${self:provider.stage}\" } }\n\
         functions:\n  greet:\n    handler: src/app.handler\n    events:\n      - httpApi: 'GET /greet/{name}'\n",
    );
    let served = develops(&folder, &["--template", "serverless.yml", "--parameter", "stage=test"]);
    says(&served, "/greet/cy", "test cy 2.0");
}

#[test]
fn functions_that_share_an_interpreter_do_not_want_different_things() {
    let folder = project();
    let more = "  Second:\n    Type: AWS::Serverless::Function\n    Properties: { CodeUri: src/, Handler: app.handler, Runtime: python3.12, \
                Environment: { Variables: { WORD: other } } }\n";
    folder.write("template.yaml", format!("{SAM}{more}"));
    let finished = run(trine(&folder, &["serve", "--template", "template.yaml"]));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let why = "share one interpreter, and want different values for WORD";
    assert!(finished.stderr.contains(why), "{finished:?}");
    assert!(finished.stderr.contains("template.yaml:26"), "{finished:?}");
}

#[test]
fn the_example_is_a_template_with_two_functions() {
    let folder = Folder::new(&[]);
    let template = repository().join("handlers-examples/template/template.yaml");
    let served = Served::of(trine(
        &folder,
        &["serve", "--port", "0", "--template", template.to_str().unwrap()],
    ));
    assert_eq!(
        served.get("/items/7").json(),
        json!({"id": "7", "table": "Table", "level": "debug"})
    );
    assert_eq!(
        served.get("/greetings?name=Ada").json(),
        json!({"greeting": "Hello Ada", "stage": "dev"})
    );
}
