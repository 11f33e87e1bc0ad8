//! Deadlines as the platform may send them: past, far away, or none at all.

use crate::support::{Lambda, ask, in_each_language};
use trine_emulator::Event;

/// Makes an event that asks for the context, with this deadline in its headers.
fn due(deadline: &str) -> Event {
    let header = ("lambda-runtime-deadline-ms".to_owned(), deadline.to_owned());
    Event { headers: vec![header], ..Event::from(ask("context")) }
}

/// The remaining time of who is told no deadline: the longest time limit that Lambda has.
const UNLIMITED: f64 = 900_000.0;

in_each_language! {
    what_is_late_is_answered_all_the_same(language) {
        let (_folder, lambda) = Lambda::probe(language);
        // The first event of a process, then any later one, then one before the epoch.
        for deadline in ["1", "1700000000000", "0", "-5"] {
            let context = lambda.invoke(due(deadline));
            let left = context["remaining"].as_f64().unwrap();
            // As the official clients have it.
            let is_over = if language.engine == "js" { left < 0.0 } else { left == 0.0 };
            assert!(is_over, "{deadline}: {context}");
            let context = lambda.invoke(ask("context"));
            assert!(context["remaining"].as_f64().is_some_and(|left| left > 0.0), "{context}");
        }
        // Nothing has been replaced meanwhile.
        assert_eq!(lambda.invoke(ask("count")), 1);
        assert_eq!(lambda.process.status(), None);
        lambda.emulator.assert_clean();
    }

    what_is_late_may_wait_and_take_its_time(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let wait = serde_json::json!({"do": "wait", "ms": 200, "note": "done"});
        for _ in 0..2 {
            let late = Event { headers: due("1").headers, ..Event::from(wait.clone()) };
            assert_eq!(lambda.invoke(late), "done");
        }
        lambda.emulator.assert_clean();
    }

    a_deadline_that_is_none_or_far_away_leaves_all_the_time_there_is(language) {
        let (_folder, lambda) = Lambda::probe(language);
        for deadline in ["", "soon", "1e99"] {
            let context = lambda.invoke(due(deadline));
            assert_eq!(context["remaining"].as_f64(), Some(UNLIMITED), "{deadline:?}: {context}");
        }
        for deadline in ["9007199254740991", "9223372036854775808", "18446744073709551615"] {
            let context = lambda.invoke(due(deadline));
            let left = context["remaining"].as_f64().unwrap();
            assert!(left > 9e15, "{deadline}: {context}");
        }
        lambda.emulator.assert_clean();
    }
}
