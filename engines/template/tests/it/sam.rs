//! Templates of AWS SAM.

use crate::support::{Folder, environment, function, read, refused, routes, triggers};
use std::time::Duration;
use trine_template::{Inputs, Kind};

const SHOP: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: A shop

Parameters:
  Stage: { Type: String, Default: dev }
  Origins: { Type: CommaDelimitedList, Default: "a.example, b.example" }

Mappings:
  Levels:
    dev: { Log: debug }
    prod: { Log: warn }

Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]

Globals:
  Function:
    Runtime: nodejs22.x
    Timeout: 10
    MemorySize: 256
    Layers: [!Ref Shared]
    Environment:
      Variables:
        STAGE: !Ref Stage
        LEVEL: !FindInMap [Levels, !Ref Stage, Log]
        TABLE: !Ref Items

Resources:
  Items:
    Type: AWS::DynamoDB::Table
    Properties: { BillingMode: PAY_PER_REQUEST }
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: layers/shared }
  Get:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./items/
      Handler: app.get
      Environment:
        Variables:
          STAGE: !Sub "${Stage}-${AWS::Region}"
          FIRST: !Select [0, !Ref Origins]
          ALL: !Join ["|", !Ref Origins]
          QUIET: !If [IsProd, "yes", !Ref AWS::NoValue]
          OTHER:
            Fn::GetAtt: [Put, Arn]
          LITERAL: !Sub "${!Stage}"
          VERSION: !Ref Put.Version
          COUNT: 5
          FLAG: True
      Events:
        One: { Type: Api, Properties: { Path: "/items/{id}", Method: get, RestApiId: !Ref Items } }
        All: { Type: HttpApi, Properties: { Path: "/v2/{proxy+}", Method: ANY } }
        Maybe: !If [IsProd, { Type: Api, Properties: { Path: /p, Method: get } }, !Ref AWS::NoValue]
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Items.Arn } }
  Put:
    Type: AWS::Serverless::Function
    Condition: IsDev
    Properties:
      Events:
      Handler: items/app.put
      Runtime: python3.13
      Timeout: 3
      FunctionUrlConfig: { AuthType: NONE, InvokeMode: RESPONSE_STREAM }
  Never:
    Type: AWS::Serverless::Function
    Condition: IsProd
    Properties: { Handler: app.never }
"#;

#[test]
fn a_template_becomes_functions_with_routes_and_variables() {
    let folder = Folder::with(&[("template.yaml", SHOP)]);
    let project = folder.read("template.yaml").unwrap();
    assert_eq!(project.kind, Kind::Sam);
    let names: Vec<_> = project.functions.iter().map(|function| &*function.name).collect();
    assert_eq!(names, ["Get", "Put"]);
    let get = function(&project, "Get");
    assert_eq!(get.line, 37);
    assert_eq!(get.folder, folder.path("items"));
    assert_eq!((&*get.handler, get.runtime.as_deref()), ("app.get", Some("nodejs22.x")));
    assert_eq!((get.timeout, get.memory_mb), (Some(Duration::from_secs(10)), Some(256)));
    assert_eq!(get.layers, [folder.path("layers/shared")]);
    assert_eq!(routes(get), ["GET /items/{id} aws-v1", "ANY /v2/{proxy+} aws-v2"]);
    assert_eq!(triggers(get), "SQS");
    assert_eq!(
        environment(get),
        "STAGE=dev-us-east-1 LEVEL=debug TABLE=Items FIRST=a.example ALL=a.example|b.example \
         OTHER=arn:aws:lambda:us-east-1:123456789012:function:Put LITERAL=${Stage} VERSION=Put COUNT=5 FLAG=true"
    );
    let put = function(&project, "Put");
    assert_eq!(put.folder, folder.0.path());
    assert_eq!(put.timeout, Some(Duration::from_secs(3)));
    assert!(put.streams);
    assert_eq!(
        routes(put),
        ["ANY /Put function-url at /Put", "ANY /Put/{proxy+} function-url at /Put"]
    );
    assert_eq!(
        folder.notes(&project),
        [
            "template.yaml:28: the reference to Items: this AWS::DynamoDB::Table exists only in the cloud: its \
          logical id stands in its place"
        ]
    );
}

#[test]
fn given_parameters_and_the_region_of_the_environment_count() {
    let folder = Folder::with(&[("template.yaml", SHOP)]);
    let mut inputs = Inputs::default();
    inputs.parameters.insert("Stage".into(), "prod".into());
    inputs.parameters.insert("Stagee".into(), "prod".into());
    inputs.environment.insert("AWS_REGION".into(), "eu-central-1".into());
    let project = folder.read_with("template.yaml", &inputs).unwrap();
    let names: Vec<_> = project.functions.iter().map(|function| &*function.name).collect();
    assert_eq!(names, ["Get", "Never"]);
    let variables = environment(function(&project, "Get"));
    assert!(variables.starts_with("STAGE=prod-eu-central-1 LEVEL=warn"), "{variables}");
    assert!(variables.contains(" QUIET=yes "), "{variables}");
    let notes = folder.notes(&project).join("\n");
    assert!(
        notes.contains(
            "the given parameter Stagee: the template has no parameter of this name, but 'Stage'"
        ),
        "{notes}"
    );
}

#[test]
fn the_same_template_as_json_says_the_same() {
    let text = r#"{
	"Transform": ["AWS::Serverless-2016-10-31"],
	"Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
	"Resources": {
		"Hello": {
			"Type": "AWS::Serverless::Function",
			"Properties": {
				"CodeUri": "src", "Handler": "app.handler", "Runtime": "python3.13",
				"Environment": {"Variables": {
					"A": {"Ref": "Stage"}, "B": {"Fn::Sub": ["${X}/y", {"X": {"Ref": "AWS::Partition"}}]},
					"C": {"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}
				}},
				"Events": {"E": {"Type": "HttpApi"}}
			}
		}
	}
}"#;
    let project = read("template.json", text);
    assert_eq!(project.kind, Kind::Sam);
    let hello = function(&project, "Hello");
    assert_eq!(environment(hello), "A=dev B=aws/y C=b");
    assert_eq!(routes(hello), ["ANY / aws-v2", "ANY /{proxy+} aws-v2"]);
    assert_eq!(hello.line, 5);
}

#[test]
fn a_single_function_url_has_all_paths() {
    let project = read(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: provided.al2023
      FunctionUrlConfig:
        AuthType: AWS_IAM
",
    );
    let f = function(&project, "F");
    assert_eq!(f.not_served, None);
    assert_eq!(routes(f), ["ANY / function-url", "ANY /{proxy+} function-url"]);
    assert_eq!(f.routes[0].line, 8);
    assert!(project.not_understood[0].why.contains("everybody is let in"));
}

#[test]
fn what_is_not_served_is_listed_and_named() {
    let project = read(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Image: { Type: AWS::Serverless::Function, Properties: { PackageType: Image } }
  Go:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: go1.x }
    Properties: { Handler: bootstrap, Runtime: provided.al2023 }
  Java: { Type: AWS::Serverless::Function, Properties: { Handler: 'a.B::c', Runtime: java21 } }
  Net: { Type: AWS::Serverless::Function, Properties: { Handler: 'A::B::C', Runtime: dotnet8 } }
  Inline: { Type: AWS::Serverless::Function, Properties: { InlineCode: x, Handler: index.handler, Runtime: nodejs22.x } }
  Bucket: { Type: AWS::Serverless::Function, Properties: { CodeUri: 's3://b/k', Handler: a.b, Runtime: nodejs22.x } }
  Zip: { Type: AWS::Serverless::Function, Properties: { CodeUri: a.zip, Handler: a.b, Runtime: nodejs22.x } }
  None: { Type: AWS::Serverless::Function, Properties: { Runtime: nodejs22.x } }
  Fine: { Type: AWS::Serverless::Function, Properties: { Handler: a.b, Runtime: nodejs22.x } }
",
    );
    for (name, part) in [
        ("Image", "container image"),
        ("Go", "go1.x"),
        ("Java", "Java"),
        ("Net", ".NET"),
        ("Inline", "InlineCode"),
        ("Bucket", "s3://b/k"),
        ("Zip", "archive"),
        ("None", "no Handler"),
    ] {
        let why = function(&project, name).not_served.as_deref().unwrap();
        assert!(why.contains(part), "{name}: {why}");
    }
    assert_eq!(function(&project, "Fine").not_served, None);
    assert_eq!(project.not_understood.len(), 8);
}

#[test]
fn typescript_that_esbuild_would_move_is_found_in_its_source() {
    let project = read(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31
Resources:
  One:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: esbuild
      BuildProperties: { EntryPoints: [src/app.ts] }
    Properties: { CodeUri: hello, Handler: app.handler, Runtime: nodejs22.x }
  Two:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: esbuild
      BuildProperties: { EntryPoints: [./src/a/one.ts, src/b/two.ts] }
    Properties: { Handler: b/two.handler, Runtime: nodejs22.x }
  Three:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [app.ts] } }
    Properties: { Handler: app.handler, Runtime: nodejs22.x }
",
    );
    let handlers: Vec<_> = project.functions.iter().map(|function| &*function.handler).collect();
    assert_eq!(handlers, ["src/app.handler", "src/b/two.handler", "app.handler"]);
    assert!(project.not_understood.is_empty());
}

#[test]
fn consequences_that_only_the_cloud_has_are_noted() {
    let folder = Folder::with(&[(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31
Parameters:
  Key: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/key }
  None: { Type: String }
Globals:
  Api:
    Cors: \"'*'\"
    Auth: { DefaultAuthorizer: Users }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: nodejs22.x
      VpcConfig: { SubnetIds: [subnet-1] }
      Layers: ['arn:aws:lambda:us-east-1:1:layer:x:1']
      Environment:
        Variables:
          KEY: !Ref Key
          NONE: !Ref None
          IMPORTED: !ImportValue other-export
          SECRET: '{{resolve:secretsmanager:x}}'
          WRONG: [1, 2]
          API: !Sub 'https://${ServerlessRestApi}.example'
          TYPO: !Ref Nome
      Events:
        A: { Type: Api, Properties: { Path: /x, Method: gett } }
        B: { Type: Api, Properties: { Path: '/{a+}/b', Method: get } }
        C: { Type: Api, Properties: { Path: /c, Method: get, Auth: { Authorizer: Users } } }
  Nested:
    Type: AWS::Serverless::Application
    Properties: { Location: nested.yaml }
",
    )]);
    let project = folder.read("template.yaml").unwrap();
    let notes = folder.notes(&project);
    for expected in [
        "template.yaml:3: the parameter Key: its value is kept in the cloud",
        "template.yaml:7: Cors: preflight",
        "template.yaml:8: Auth: authorizers",
        "template.yaml:15: VpcConfig of F: it runs in this machine's network",
        "template.yaml:16: the layer arn:aws:lambda:us-east-1:1:layer:x:1: it lies in the cloud",
        "template.yaml:20: the parameter None: it has neither a default nor a given value",
        "template.yaml:21: Fn::ImportValue other-export",
        "template.yaml:22: the variable SECRET of F",
        "template.yaml:23: the variable WRONG of F: its value is a list",
        "template.yaml:24: the reference to ServerlessRestApi: this file does not declare it",
        "template.yaml:25: the reference to Nome: nothing is called so, but 'None' is",
        "template.yaml:27: the event A of F: 'gett' is no method, GET is one",
        "template.yaml:28: the event B of F: in '/{a+}/b' something follows",
        "template.yaml:29: Auth of F: authorizers",
        "template.yaml:30: the nested stack Nested",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(expected)), "{expected}\n{notes:#?}");
    }
    assert_eq!(notes.len(), 15, "{notes:#?}");
    let f = function(&project, "F");
    assert_eq!(routes(f), ["GET /c aws-v1"]);
    assert!(environment(f).ends_with("API=https://ServerlessRestApi.example TYPO=Nome"));
}

#[test]
fn what_makes_no_sense_is_an_error_with_its_place() {
    let with = |value: &str| {
        format!(
            "Conditions:
  A: !Or [!Condition B, !Equals [x, y]]
  B: !Not [!Condition A]
  Fine: !Equals [x, x]
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Handler: a.b
      Runtime: nodejs22.x
      Environment: {{ Variables: {{ V: {value} }} }}
"
        )
    };
    for (value, part) in [
        ("!Join [a]", ":11:38: Fn::Join takes a list of 2"),
        ("!Join [a, b]", "what Fn::Join joins is a list, and this is a text"),
        ("!Select [7, [a, b]]", "Fn::Select has no item 7: the list has 2"),
        ("!If [A, 1, 2]", "the condition 'A' depends on itself"),
        ("!If [Fin, 1, 2]", "there is no condition 'Fin', 'Fine' is one"),
        ("!FindInMap [M, a, b]", "the mappings have no M.a.b"),
        ("!GetAtt X", "Fn::GetAtt takes Name.Attribute"),
        ("!Split ['', a]", "the delimiter of Fn::Split is empty"),
        ("{ 'Fn::Sub': [a, b, c] }", "Fn::Sub takes a text, or a text and a table"),
    ] {
        let message = refused("t.yaml", &with(value));
        assert!(message.starts_with("t.yaml:") && message.contains(part), "{value}: {message}");
    }
    assert!(
        refused("t.yaml", "AWSTemplateFormatVersion: x\n")
            .contains("the template has no Resources")
    );
    let project = read("t.yaml", &with("!If [Fine, !Base64 abc, 2]"));
    assert_eq!(environment(&project.functions[0]), "V=YWJj");
}
