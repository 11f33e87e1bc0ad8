//! Events in, results out, one after the other.

use crate::support::{Lambda, ask, in_each_language};
use serde_json::{Value, json};
use trine_emulator::{Answer, Event};

in_each_language! {
    results_are_what_the_handler_returns(language) {
        let (_folder, lambda) = Lambda::probe(language);
        for event in [
            json!({"text": "é🙂\u{0}\"\\\u{2028}", "list": [1, 2.5, true, null]}),
            json!({"nested": {"a": {"b": []}}}),
            json!([]),
            json!({}),
            json!("text"),
            json!(-1),
            json!(9_007_199_254_740_991_i64),
            json!(false),
        ] {
            assert_eq!(lambda.invoke(event.clone()), event);
        }
        assert_eq!(lambda.invoke(json!({"do": "wait", "ms": 1, "note": "waited"})), "waited");
        assert_eq!(lambda.invoke(json!({"do": "wait", "ms": 1})), Value::Null);
        lambda.emulator.assert_clean();
    }

    what_a_module_holds_survives_from_one_invocation_to_the_next(language) {
        let (_folder, lambda) = Lambda::probe(language);
        for count in 1..=5 {
            assert_eq!(lambda.invoke(ask("count")), count);
        }
        lambda.emulator.assert_clean();
    }

    a_failure_costs_the_next_invocation_nothing(language) {
        let (_folder, lambda) = Lambda::probe(language);
        assert_eq!(lambda.invoke(ask("count")), 1);
        lambda.fail(ask("fail"));
        assert_eq!(lambda.invoke(ask("count")), 2);
        lambda.emulator.assert_clean();
    }

    a_thousand_invocations_in_a_row_go_over_one_connection(language) {
        let (_folder, lambda) = Lambda::probe(language);
        for count in 1..=1000 {
            assert_eq!(lambda.invoke(ask("count")), count);
        }
        // More connections than pollers would be a violation.
        lambda.emulator.assert_clean();
    }
}

#[test]
fn events_that_wait_are_answered_in_their_order() {
    for language in crate::support::PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        let waiting: Vec<_> =
            (1..=20).map(|_| lambda.emulator.invoke_streaming(ask("count"))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (count, answer) in (1..).zip(waiting) {
            assert_eq!(runtime.block_on(answer.finish()).json(), json!(count));
        }
        lambda.emulator.assert_clean();
    }
}

#[test]
fn a_second_attempt_under_the_same_request_id_is_an_invocation_of_its_own() {
    for language in crate::support::PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        let event =
            || Event { request_id: Some("an id/with %2F".into()), ..Event::from(ask("count")) };
        assert_eq!(lambda.invoke(event()), 1);
        assert_eq!(lambda.invoke(event()), 2);
        // The emulator gives every attempt an id of its own and expects it back.
        lambda.emulator.assert_clean();
    }
}

#[test]
fn bytes_from_python_go_out_as_they_are() {
    let (_folder, lambda) = Lambda::probe(crate::support::LANGUAGES[3]);
    let outcome = lambda.outcome(Event {
        content_type: Some("application/octet-stream".into()),
        ..Event::new(&b"\x00\xff{not json"[..])
    });
    let Answer::Response { bytes, content_type, .. } = &outcome.result else {
        panic!("{outcome:?}")
    };
    assert_eq!(&bytes[..], b"\x00\xff{not json");
    assert_eq!(content_type.as_deref(), Some("application/unknown"));
    lambda.emulator.assert_clean();
}

#[test]
fn json_results_say_that_they_are_json() {
    for language in crate::support::PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        let outcome = lambda.outcome(json!({}));
        let Answer::Response { content_type, streamed, .. } = &outcome.result else {
            panic!("{outcome:?}")
        };
        assert_eq!(content_type.as_deref(), Some("application/json"));
        assert!(!streamed);
    }
}
