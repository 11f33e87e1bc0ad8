//! What a handler learns besides its event.

use crate::support::{Lambda, ask, in_each_language};
use serde_json::{Value, json};
use trine_emulator::Event;

in_each_language! {
    the_context_says_what_the_headers_and_the_environment_say(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let context = lambda.invoke(Event {
            client_context: Some(json!({
                "client": {"installation_id": "i"},
                "custom": {"list": [1, 2]},
                "env": {},
                "w3c": {"evil": "x", "traceparent": "00-1", "tracestate": "a=b", "baggage": 1},
            }).to_string()),
            identity: Some(
                json!({"cognitoIdentityId": "me", "cognitoIdentityPoolId": "us"}).to_string(),
            ),
            tenant_id: Some("tenant".into()),
            invoked_function_arn: Some("arn:aws:lambda:eu-central-1:1:function:f:live".into()),
            request_id: Some("request-7".into()),
            ..Event::from(ask("context"))
        });
        let remaining = context["remaining"].as_f64().unwrap();
        let limit = crate::support::LIMIT.as_millis() as f64;
        assert!(remaining > 0.0 && remaining <= limit, "{context}");
        let expected = json!({
            "id": "request-7",
            "arn": "arn:aws:lambda:eu-central-1:1:function:f:live",
            "name": "test_function",
            "version": "$LATEST",
            "memory": "128",
            "group": "/aws/lambda/test_function",
            "stream": "$LATEST/emulator",
            "tenant": "tenant",
            "custom": {"list": [1, 2]},
            "w3c": {"traceparent": "00-1", "tracestate": "a=b"},
            "identity": "me",
            "remaining": context["remaining"],
        });
        assert_eq!(context, expected);
        lambda.emulator.assert_clean();
    }

    what_no_header_says_is_absent_and_nothing_stays_from_before(language) {
        let (_folder, lambda) = Lambda::probe(language);
        lambda.invoke(Event {
            client_context: Some(
                json!({"custom": {"a": 1}, "w3c": {"traceparent": "00"}}).to_string(),
            ),
            identity: Some(json!({"cognitoIdentityId": "me"}).to_string()),
            tenant_id: Some("tenant".into()),
            ..Event::from(ask("context"))
        });
        let context = lambda.invoke(ask("context"));
        for name in ["tenant", "custom", "identity"] {
            assert_eq!(context[name], Value::Null, "{name}: {context}");
        }
        // As the official clients of the two languages have it.
        let none = if language.engine == "lua" { Value::Null } else { json!({}) };
        assert_eq!(context["w3c"], none, "{context}");
    }

    the_trace_id_is_in_the_environment_for_as_long_as_its_invocation(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let traced = |id: &str| Event { trace_id: Some(id.into()), ..Event::from(ask("trace")) };
        assert_eq!(lambda.invoke(ask("trace")), Value::Null);
        assert_eq!(lambda.invoke(traced("Root=1-a;Sampled=1")), "Root=1-a;Sampled=1");
        assert_eq!(lambda.invoke(traced("Root=1-b")), "Root=1-b");
        assert_eq!(lambda.invoke(ask("trace")), Value::Null);
    }

    a_client_context_that_is_no_json_fails_its_invocation_alone(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let (_, document) = lambda.fail(Event {
            client_context: Some("{oops".into()),
            ..Event::from(ask("context"))
        });
        let start = match language.engine {
            "js" => "Cannot parse ClientContext as json: SyntaxError: ",
            _ => "Unable to parse Client Context JSON: ",
        };
        assert!(document["errorMessage"].as_str().unwrap().starts_with(start), "{document}");
        assert_eq!(lambda.invoke(ask("count")), 1);
        lambda.emulator.assert_clean();
    }
}
