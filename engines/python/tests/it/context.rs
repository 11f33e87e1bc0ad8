//! The second argument.

use crate::harness::{Case, answer, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{ErrorKind, Form, Invocation, Payload};

fn shows(expression: &str, invocation: Invocation) -> String {
    let source = format!("import os\ndef handler(event, context):\n    return {expression}\n");
    Case::new(&[("app.py", &source)]).call_with("handler", "null", invocation).unwrap()
}

#[test]
fn attributes_have_the_values_of_the_invocation_and_the_function() {
    let names = "[context.aws_request_id, context.invoked_function_arn, context.tenant_id, \
                 context.function_name, context.function_version, context.log_group_name, \
                 context.log_stream_name, context.memory_limit_in_mb, context.client_context, \
                 context.identity.cognito_identity_id, context.w3c()]";
    let full = Invocation {
        invoked_function_arn: Some("arn:1".into()),
        tenant_id: Some("blue".into()),
        w3c: Some([("traceparent".to_owned(), "00-1".to_owned())].into()),
        ..invocation()
    };
    assert_eq!(
        shows(names, full),
        r#"["id-1", "arn:1", "blue", "sums", "$LATEST", "/aws/lambda/sums", null, "128", null, null, {"traceparent": "00-1"}]"#
    );
    let named = Invocation { function_name: Some("other".into()), ..invocation() };
    assert_eq!(shows("[context.function_name, context.w3c()]", named), "[\"other\", {}]");
}

/// Makes an invocation with every field set.
fn full() -> Invocation {
    Invocation {
        invoked_function_arn: Some("arn:1".into()),
        client_context: Some(r#"{"client": {"app_title": "t"}, "custom": {"k": [1]}}"#.into()),
        identity: Some(r#"{"cognitoIdentityId": "i"}"#.into()),
        ..invocation()
    }
}

#[test]
fn all_facts_are_attributes_of_the_object_itself() {
    let expected = r#"["aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb", "function_version", "invoked_function_arn", "tenant_id", "_w3c_fields", "client_context", "identity", "_epoch_deadline_time_in_ms"]"#;
    for invocation in [invocation(), full()] {
        assert_eq!(shows("list(vars(context))", invocation), expected);
    }
    let differ = "set(vars(context)) - set(dir(context)) or vars(context) is not context.__dict__ or \
                  type(context).__name__ != 'LambdaContext'";
    assert_eq!(shows(&format!("bool({differ})"), full()), "false");
    assert_eq!(shows("vars(context)['identity'].cognito_identity_id", full()), "\"i\"");
    assert_eq!(shows("context.trace_id", full()), "null");
    let traced = Invocation { trace_id: Some("Root=1-2".into()), ..invocation() };
    assert_eq!(shows("context.trace_id", traced), "\"Root=1-2\"");
    let source = "\
def handler(event, context):
    for name in list(vars(context)):
        setattr(context, name, event)
    context.extra = context.identity
    del context.tenant_id
    return [context.aws_request_id, context.extra, hasattr(context, 'tenant_id')]
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "[1, 1, false]");
    // The changes of one invocation to its context are not seen by the next.
    assert_eq!(case.call("handler", "2").unwrap(), "[2, 2, false]");
}

#[test]
fn contexts_can_be_copied_and_pickled() {
    let source = "\
import copy, pickle
def handler(event, context):
    context.note = ['mine']
    ways = [copy.copy, copy.deepcopy]
    ways += [lambda c, p=p: pickle.loads(pickle.dumps(c, p)) for p in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for way in ways:
        other = way(context)
        assert type(other) is type(context) and repr(other) == repr(context), way
        assert list(vars(other)) == list(vars(context)), way
        assert other.note == ['mine'] and (other.note is context.note) == (way is copy.copy), way
        assert other.identity.cognito_identity_id == 'i', way
        assert other.client_context.client.app_title == 't', way
        assert other.client_context.custom == {'k': [1]}, way
        assert 0 < other.get_remaining_time_in_millis() <= 900000, way
        context.state['seen'] = way.__name__
        # A copy is of the same invocation.
        assert other.state['seen'] == way.__name__, way
    return repr(context)
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(
        case.call_with("handler", "1", full()).unwrap(),
        "\"LambdaContext([aws_request_id=id-1,log_group_name=/aws/lambda/sums,log_stream_name=None,\
         function_name=sums,memory_limit_in_mb=128,function_version=$LATEST,\
         invoked_function_arn=arn:1,client_context=ClientContext([custom={'k': [1]},env=None,\
         client=Client([installation_id=None,app_title=t,app_version_name=None,\
         app_version_code=None,app_package_name=None])]),identity=CognitoIdentity([\
         cognito_identity_id=i,cognito_identity_pool_id=None]),tenant_id=None])\""
    );
}

#[test]
fn client_context_and_identity_are_objects() {
    let full = Invocation {
        client_context: Some(
            r#"{"client": {"app_title": "t"}, "custom": {"k": 1}, "env": {"e": 2}}"#.into(),
        ),
        identity: Some(r#"{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}"#.into()),
        ..invocation()
    };
    let names = "[context.client_context.custom, context.client_context.env, \
                 context.client_context.client.app_title, \
                 context.client_context.client.installation_id, \
                 context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id]";
    assert_eq!(shows(names, full), r#"[{"k": 1}, {"e": 2}, "t", null, "i", "p"]"#);
    let null = Invocation { client_context: Some("null".into()), ..invocation() };
    assert_eq!(shows("context.client_context", null), "null");
}

#[test]
fn a_broken_client_context_or_identity_fails_before_the_handler_runs() {
    let case = Case::new(&[("app.py", "def handler(event, context): return 1\n")]);
    for broken in ["{", "[1]", "\"x\""] {
        let client = Invocation { client_context: Some(broken.into()), ..invocation() };
        let error = case.call_with("handler", "1", client).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContextUnmarshal);
        assert!(error.message().starts_with("Unable to parse Client Context JSON: "), "{error}");
        let identity = Invocation { identity: Some(broken.into()), ..invocation() };
        let error = case.call_with("handler", "1", identity).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContextUnmarshal);
    }
}

#[test]
fn the_remaining_time_is_never_negative_and_large_without_a_deadline() {
    let remaining = "context.get_remaining_time_in_millis()";
    assert_eq!(shows(remaining, invocation()), "900000");
    assert_eq!(shows(remaining, Invocation { deadline_ms: Some(1), ..invocation() }), "0");
    let soon = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let deadline_ms = Some(soon.as_millis() as u64 + 5000);
    let left: i64 = shows(remaining, Invocation { deadline_ms, ..invocation() }).parse().unwrap();
    assert!((1..=5000).contains(&left), "{left}");
}

#[test]
fn it_prints_as_on_lambda_and_takes_new_attributes() {
    let printed = shows("repr(context)", invocation());
    assert!(
        printed.starts_with(
            "\"LambdaContext([aws_request_id=id-1,log_group_name=/aws/lambda/sums,log_stream_name=None,"
        ),
        "{printed}"
    );
    let source = "def handler(event, context):\n    context.mine = 2\n    return context.mine\n";
    assert_eq!(answer(source, "1").unwrap(), "2");
}

#[test]
fn functions_of_one_invocation_share_it_and_the_next_invocation_has_another() {
    let source = "\
def before(event, context):
    context.mine = 1
def handler(event, context): return hasattr(context, 'mine')
";
    let case = Case::new(&[("app.py", source)]);
    let [before, handler] = ["before", "handler"].map(|name| case.load("app", name).unwrap());
    let call = |function, invocation: &Rc<Invocation>| {
        text(
            block_on(case.instance.call(function, Payload::json("1"), Form::Json, invocation))
                .unwrap(),
        )
    };
    let first = Rc::new(invocation());
    call(before, &first);
    assert_eq!(call(handler, &first), "true");
    drop(first);
    assert_eq!(call(handler, &Rc::new(invocation())), "false");
}

#[test]
fn log_writes_the_text_as_it_is() {
    let case = Case::new(&[(
        "app.py",
        "def handler(event, context):\n    context.log('a')\n    context.log(1)\n",
    )]);
    case.call("handler", "1").unwrap();
    assert_eq!(case.log.text(), "a1");
}

#[test]
fn the_trace_id_is_in_the_environment_where_the_host_wants_it() {
    let source = "import os\ndef handler(event): return os.environ.get('_X_AMZN_TRACE_ID')\n";
    let case =
        Case::with(&[("app.py", source)], |environment| environment.trace_in_environment = true);
    let traced = Invocation { trace_id: Some("Root=1".into()), ..invocation() };
    assert_eq!(case.call_with("handler", "1", traced).unwrap(), "\"Root=1\"");
    assert_eq!(case.call("handler", "1").unwrap(), "null");
}
