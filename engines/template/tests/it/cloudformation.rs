//! Templates of CloudFormation without SAM, as the CDK writes them, and documents of OpenAPI.

use crate::support::{Folder, environment, function, read, routes};
use trine_template::Kind;

#[test]
fn functions_gateways_and_urls_of_the_cdk_are_understood() {
    let text = r#"{
  "Resources": {
    "Hello1A2B": {
      "Type": "AWS::Lambda::Function",
      "Properties": {
        "Code": { "S3Bucket": { "Fn::Sub": "cdk-assets-${AWS::AccountId}" }, "S3Key": "k.zip" },
        "Environment": { "Variables": { "ACCOUNT": { "Ref": "AWS::AccountId" } } },
        "Handler": "index.handler", "Runtime": "nodejs22.x", "MemorySize": 128
      },
      "Metadata": { "aws:asset:path": "../lambda" }
    },
    "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "x" } },
    "ApiItems": {
      "Type": "AWS::ApiGateway::Resource",
      "Properties": { "ParentId": { "Fn::GetAtt": ["Api", "RootResourceId"] }, "PathPart": "items", "RestApiId": { "Ref": "Api" } }
    },
    "ApiItem": {
      "Type": "AWS::ApiGateway::Resource",
      "Properties": { "ParentId": { "Ref": "ApiItems" }, "PathPart": "{id}", "RestApiId": { "Ref": "Api" } }
    },
    "ApiItemGET": {
      "Type": "AWS::ApiGateway::Method",
      "Properties": {
        "AuthorizationType": "NONE", "HttpMethod": "GET",
        "Integration": {
          "IntegrationHttpMethod": "POST", "Type": "AWS_PROXY",
          "Uri": { "Fn::Join": ["", ["arn:", { "Ref": "AWS::Partition" }, ":apigateway:", { "Ref": "AWS::Region" },
            ":lambda:path/2015-03-31/functions/", { "Fn::GetAtt": ["Hello1A2B", "Arn"] }, "/invocations"]] }
        },
        "ResourceId": { "Ref": "ApiItem" }, "RestApiId": { "Ref": "Api" }
      }
    },
    "Http": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "ProtocolType": "HTTP" } },
    "Target": {
      "Type": "AWS::ApiGatewayV2::Integration",
      "Properties": { "IntegrationUri": { "Fn::GetAtt": ["Hello1A2B", "Arn"] }, "PayloadFormatVersion": "2.0" }
    },
    "Route": {
      "Type": "AWS::ApiGatewayV2::Route",
      "Properties": {
        "RouteKey": "POST /orders", "AuthorizationType": "JWT",
        "Target": { "Fn::Join": ["", ["integrations/", { "Ref": "Target" }]] }
      }
    },
    "Url": {
      "Type": "AWS::Lambda::Url",
      "Properties": { "AuthType": "NONE", "TargetFunctionArn": { "Fn::GetAtt": ["Hello1A2B", "Arn"] } }
    }
  }
}"#;
    let folder = Folder::with(&[("cdk.out/stack.template.json", text)]);
    let project = folder.read("cdk.out/stack.template.json").unwrap();
    assert_eq!(project.kind, Kind::CloudFormation);
    let hello = function(&project, "Hello1A2B");
    assert_eq!(hello.not_served, None);
    assert_eq!(hello.folder, folder.path("lambda"));
    assert_eq!(environment(hello), "ACCOUNT=123456789012");
    assert_eq!(
        routes(hello),
        [
            "POST /orders aws-v2",
            "GET /items/{id} aws-v1",
            "ANY /Hello1A2B function-url at /Hello1A2B",
            "ANY /Hello1A2B/{proxy+} function-url at /Hello1A2B"
        ]
    );
    let notes = folder.notes(&project);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("the route Route: authorizers"), "{notes:?}");
}

#[test]
fn documents_of_openapi_name_functions_inside_and_beside() {
    let operation = |path: &str| {
        format!(
            "paths:
  {path}:
    get:
      x-amazon-apigateway-integration:
        type: aws_proxy
        uri: !Sub 'arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{F.Arn}}/invocations'
"
        )
    };
    let template = format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  F: {{ Type: AWS::Serverless::Function, Properties: {{ Handler: a.b, Runtime: nodejs22.x }} }}
  Inside:
    Type: AWS::Serverless::Api
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        {}
  Beside: {{ Type: AWS::Serverless::HttpApi, Properties: {{ DefinitionUri: api.yaml }} }}
  Included:
    Type: AWS::Serverless::Api
    Properties:
      DefinitionBody: {{ 'Fn::Transform': {{ Name: AWS::Include, Parameters: {{ Location: more.yaml }} }} }}
",
        operation("/inside/{id}").replace('\n', "\n        ").trim_end()
    );
    let folder = Folder::with(&[
        ("template.yaml", &template),
        ("api.yaml", &operation("/beside")),
        ("more.yaml", &operation("/included")),
    ]);
    let project = folder.read("template.yaml").unwrap();
    let routes = routes(&project.functions[0]);
    assert_eq!(routes, ["GET /inside/{id} aws-v1", "GET /included aws-v1", "GET /beside aws-v2"]);
    assert_eq!(folder.notes(&project), [""; 0]);
}

#[test]
fn resources_of_a_gateway_that_form_a_circle_are_an_error() {
    let message = crate::support::refused(
        "t.yaml",
        "Resources:
  F: { Type: AWS::Lambda::Function, Properties: { Handler: a.b, Runtime: nodejs22.x } }
  A: { Type: AWS::ApiGateway::Resource, Properties: { PathPart: a, ParentId: !Ref B } }
  B: { Type: AWS::ApiGateway::Resource, Properties: { PathPart: b, ParentId: !Ref A } }
  M:
    Type: AWS::ApiGateway::Method
    Properties: { HttpMethod: GET, ResourceId: !Ref A, Integration: { Uri: !GetAtt F.Arn } }
",
    );
    assert!(message.starts_with("t.yaml:5:") && message.contains("circle"), "{message}");
}

#[test]
fn code_in_a_template_and_images_are_named_as_not_served() {
    let project = read(
        "t.yaml",
        "Resources:
  Zip: { Type: AWS::Lambda::Function, Properties: { Code: { ZipFile: x }, Handler: index.handler, Runtime: nodejs22.x } }
  Image: { Type: AWS::Lambda::Function, Properties: { Code: { ImageUri: x } } }
  Folder: { Type: AWS::Lambda::Function, Properties: { Code: ./src, Handler: index.handler, Runtime: nodejs22.x } }
",
    );
    let why = |name| function(&project, name).not_served.clone().unwrap_or_default();
    assert!(why("Zip").contains("ZipFile"));
    assert!(why("Image").contains("ImageUri"));
    assert_eq!(why("Folder"), "");
    assert!(function(&project, "Folder").folder.ends_with("src"));
}
