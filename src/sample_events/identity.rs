//! Who is let in: pools of users, authorizers of APIs, secrets that are renewed.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, ID, REGION},
    requests::{Request, WITH_ROUTE, v1, v2},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new(
        "cognito",
        &["cognito-user-pool"],
        "a step of a user of a pool of Cognito",
        COGNITO,
        cognito,
    ),
    Sample::new(
        "authorizer-v2",
        &["authorizer", "http-authorizer"],
        "an HTTP API asks whether to let a request in (payload format 2.0)",
        WITH_ROUTE,
        authorizer_v2,
    ),
    Sample::new(
        "authorizer-v1",
        &["rest-authorizer", "request-authorizer"],
        "a REST API asks whether to let a request in",
        WITH_ROUTE,
        authorizer_v1,
    ),
    Sample::new(
        "authorizer-token",
        &["token-authorizer"],
        "a REST API asks about a token",
        &[
            Field::new("token", Kind::Text, &["Bearer sample"], "the token"),
            Field::new("method", Kind::Text, &["GET"], "the request's method"),
            Field::new("path", Kind::Text, &["/pets/7"], "the request's path"),
            Field::new("stage", Kind::Text, &["prod"], "the API's stage"),
            REGION,
            ACCOUNT,
        ],
        |values| {
            let arn = method_arn(
                values,
                values.text("stage"),
                values.text("method"),
                values.text("path"),
            );
            Ok(json!({
                "type": "TOKEN",
                "authorizationToken": values.text("token"),
                "methodArn": arn,
            }))
        },
    ),
    Sample::new(
        "secretsmanager",
        &["secretsmanager-rotation", "rotation"],
        "a step of a secret's rotation",
        &[
            Field::new(
                "step",
                Kind::Choice(&["createSecret", "setSecret", "testSecret", "finishSecret"]),
                &["createSecret"],
                "createSecret, setSecret, testSecret, finishSecret",
            ),
            Field::new("secret", Kind::Text, &["my-secret"], "the secret"),
            ID,
            REGION,
            ACCOUNT,
        ],
        |values| {
            let secret = format!("secret:{}-a1b2c3", values.text("secret"));
            Ok(json!({
                "Step": values.text("step"),
                "SecretId": values.arn("secretsmanager", &secret),
                "ClientRequestToken": values.text("id"),
            }))
        },
    ),
];

const TRIGGERS: &[&str] = &[
    "pre-sign-up",
    "post-confirmation",
    "pre-authentication",
    "post-authentication",
    "pre-token",
    "custom-message",
    "define-challenge",
    "create-challenge",
    "verify-challenge",
];

const COGNITO: &[Field] = &[
    Field::new(
        "trigger",
        Kind::Choice(TRIGGERS),
        &["pre-sign-up"],
        "pre-sign-up, post-confirmation, pre-authentication, post-authentication, pre-token, custom-message, \
         define-challenge, create-challenge, verify-challenge",
    ),
    Field::new("user", Kind::Text, &["ada"], "the user"),
    Field::new("email", Kind::Text, &["ada@example.com"], "the user's address"),
    Field::new("attribute", Kind::Pairs, &[], "a further attribute of the user"),
    Field::new("group", Kind::Texts, &[], "a group that the user is in, for pre-token"),
    Field::new("pool", Kind::Text, &["us-east-1_sample001"], "the pool"),
    Field::new("client", Kind::Text, &["sampleclient"], "the app client"),
    REGION,
];

fn cognito(values: &Values) -> Result<Value, String> {
    let trigger = values.text("trigger");
    let mut attributes = Map::new();
    attributes.insert("sub".into(), json!("00000000-0000-4000-8000-000000000001"));
    attributes.insert("email".into(), json!(values.text("email")));
    if trigger != "pre-sign-up" {
        attributes.insert("email_verified".into(), json!("true"));
        attributes.insert("cognito:user_status".into(), json!("CONFIRMED"));
    }
    for (name, value) in values.pairs("attribute") {
        attributes.insert(name.clone(), json!(value));
    }
    let (source, request, response) = match trigger {
        "pre-sign-up" => (
            "PreSignUp_SignUp",
            json!({"validationData": null}),
            json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false}),
        ),
        "post-confirmation" => ("PostConfirmation_ConfirmSignUp", json!({}), json!({})),
        "pre-authentication" => {
            ("PreAuthentication_Authentication", json!({"validationData": {}}), json!({}))
        }
        "post-authentication" => {
            ("PostAuthentication_Authentication", json!({"newDeviceUsed": false}), json!({}))
        }
        "pre-token" => (
            "TokenGeneration_Authentication",
            json!({"groupConfiguration": {
                "groupsToOverride": values.texts("group"),
                "iamRolesToOverride": [],
                "preferredRole": null,
            }}),
            json!({"claimsOverrideDetails": null}),
        ),
        "custom-message" => (
            "CustomMessage_SignUp",
            json!({"codeParameter": "{####}", "linkParameter": "{##Click Here##}", "usernameParameter": null}),
            json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        ),
        "define-challenge" => (
            "DefineAuthChallenge_Authentication",
            json!({"session": []}),
            json!({"challengeName": null, "issueTokens": null, "failAuthentication": null}),
        ),
        "create-challenge" => (
            "CreateAuthChallenge_Authentication",
            json!({"challengeName": "CUSTOM_CHALLENGE", "session": []}),
            json!({"publicChallengeParameters": null, "privateChallengeParameters": null, "challengeMetadata": null}),
        ),
        _ => (
            "VerifyAuthChallengeResponse_Authentication",
            json!({"privateChallengeParameters": {"answer": "5"}, "challengeAnswer": "5"}),
            json!({"answerCorrect": null}),
        ),
    };
    let mut asked = Map::new();
    asked.insert("userAttributes".into(), Value::Object(attributes));
    asked.extend(request.as_object().cloned().unwrap_or_default());
    Ok(json!({
        "version": "1",
        "triggerSource": source,
        "region": values.text("region"),
        "userPoolId": values.text("pool"),
        "userName": values.text("user"),
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": values.text("client")},
        "request": asked,
        "response": response,
    }))
}

/// The header that authorizers mostly look at.
const AUTHORIZATION: &str = "authorization";

/// Returns the ARN of what is asked for.
fn method_arn(values: &Values, stage: &str, method: &str, path: &str) -> String {
    let method = method.to_uppercase();
    values.arn(
        "execute-api",
        &format!("api0000001/{stage}/{method}/{}", path.trim_start_matches('/')),
    )
}

fn authorizer_v2(values: &Values) -> Result<Value, String> {
    let request = v2(values, &Request::of(values), true);
    let context = &request["requestContext"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let token = &request["headers"][AUTHORIZATION];
    let sources: Vec<&Value> = [token].into_iter().filter(|token| !token.is_null()).collect();
    let (method, path) = (text(&context["http"]["method"]), text(&request["rawPath"]));
    let mut event = Map::new();
    event.insert("version".into(), json!("2.0"));
    event.insert("type".into(), json!("REQUEST"));
    let arn = method_arn(values, &text(&context["stage"]), &method, &path);
    event.insert("routeArn".into(), json!(arn));
    event.insert("identitySource".into(), json!(sources));
    let left_out = ["version", "body", "isBase64Encoded"];
    let members = request.as_object().cloned().unwrap_or_default();
    event.extend(members.into_iter().filter(|(name, _)| !left_out.contains(&name.as_str())));
    Ok(Value::Object(event))
}

fn authorizer_v1(values: &Values) -> Result<Value, String> {
    let request = v1(values, &Request::of(values));
    let context = &request["requestContext"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let arn = method_arn(
        values,
        &text(&context["stage"]),
        &text(&request["httpMethod"]),
        &text(&request["path"]),
    );
    let mut event = Map::new();
    event.insert("type".into(), json!("REQUEST"));
    event.insert("methodArn".into(), json!(arn));
    let left_out = ["body", "isBase64Encoded"];
    let members = request.as_object().cloned().unwrap_or_default();
    event.extend(members.into_iter().filter(|(name, _)| !left_out.contains(&name.as_str())));
    Ok(Value::Object(event))
}
