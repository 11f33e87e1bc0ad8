//! Large, deep and unusual events and results.

use crate::support::{Lambda, ask, in_each_language};
use serde_json::json;
use trine_emulator::{Event, MAX_EVENT_BYTES, MAX_RESPONSE_BYTES};

in_each_language! {
    the_largest_event_goes_through(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let mut event = br#"{"text":""#.to_vec();
        event.resize(MAX_EVENT_BYTES - 2, b'x');
        event.extend(br#""}"#);
        let outcome = lambda.outcome(Event::new(event.clone()));
        assert!(outcome.is_response(), "{:?}", outcome.error_type());
        let body = outcome.body();
        // Python writes a space after the colon.
        let compact: Vec<u8> = body.iter().copied().filter(|byte| *byte != b' ').collect();
        assert!(compact == event, "{} bytes came back", body.len());
        lambda.emulator.assert_clean();
    }

    an_event_and_a_result_may_be_nested_deeply(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let event = nested(900);
        let outcome = lambda.outcome(Event::new(event.clone()));
        assert!(outcome.body() == event, "{:?}", outcome.body());
        let outcome = lambda.outcome(json!({"do": "nest", "levels": 900}));
        assert!(outcome.body() == event, "{:?}", outcome.body());
        lambda.emulator.assert_clean();
    }

    ten_thousand_levels_go_through_or_are_refused_in_words(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let event = nested(10_000);
        let (read, written) =
            (Event::new(event.clone()), Event::from(json!({"do": "nest", "levels": 10_000})));
        for (asked, kind) in [(read, "Runtime.UnmarshalError"), (written, "Runtime.MarshalError")] {
            let outcome = lambda.outcome(asked);
            if outcome.is_response() {
                assert!(outcome.body() == event, "{} bytes came back", outcome.body().len());
            } else {
                let document = outcome.json();
                assert_eq!(document["errorType"], kind, "{document}");
                let message = document["errorMessage"].as_str().unwrap();
                assert!(message.contains("deeper") || message.contains("depth"), "{message}");
            }
        }
        assert_eq!(lambda.invoke(ask("count")), 1);
        lambda.emulator.assert_clean();
    }

    a_response_may_have_as_many_bytes_as_the_platform_takes_and_not_one_more(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let text = |count: usize| json!({"do": "repeat", "text": "x", "count": count});
        let outcome = lambda.outcome(text(MAX_RESPONSE_BYTES - 2));
        assert!(outcome.is_response(), "{:?}", outcome.error_type());
        assert_eq!(outcome.body().len(), MAX_RESPONSE_BYTES);
        let outcome = lambda.outcome(text(MAX_RESPONSE_BYTES - 1));
        assert_eq!(outcome.error_type().as_deref(), Some("Function.ResponseSizeTooLarge"));
        let document = outcome.json();
        assert_eq!(document["errorType"], "Function.ResponseSizeTooLarge");
        assert_eq!(
            document["errorMessage"],
            "Response payload size (6291557 bytes) exceeded maximum allowed payload size \
             (6291556 bytes)."
        );
        assert_eq!(lambda.invoke(ask("count")), 1);
        lambda.emulator.assert_clean();
    }

    an_event_that_is_no_json_fails_alone_and_says_so(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let texts = [&b"{\"a\":"[..], b"", b"{'a': 1}", b"[1] 2", b"nul", b"\xff\xfe", b"\"\xff\""];
        for event in texts {
            let outcome = lambda.outcome(Event::new(event));
            let text = String::from_utf8_lossy(event);
            assert!(!outcome.is_response(), "{text:?} became {:?}", outcome.body());
            let document = outcome.json();
            let kind = document["errorType"].as_str().unwrap_or_default();
            let is_utf8 = std::str::from_utf8(event).is_ok();
            let expected = match language.engine {
                "js" if is_utf8 => "SyntaxError",
                _ => "Runtime.UnmarshalError",
            };
            assert_eq!(kind, expected, "{text:?}: {document}");
        }
        assert_eq!(lambda.invoke(ask("count")), 1);
        lambda.emulator.assert_clean();
    }
}

/// Makes a list in a list in a list.
fn nested(levels: usize) -> String {
    ["[".repeat(levels), "]".repeat(levels)].concat()
}
