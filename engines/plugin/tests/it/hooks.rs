//! Middlewares that are written in the language of a plug-in.

use crate::support::Guest;
use std::rc::Rc;
use trine_engine::{Hook, Invocation, Payload};
use trine_testkit::guest;

fn text(payload: Payload) -> String {
    guest::text(payload)
}

fn within(hook: Hook) -> Rc<Invocation> {
    let invocation = guest::invocation("id-1");
    invocation.exchange.enter(Some(hook));
    Rc::new(invocation)
}

#[test]
fn hooks_are_found_and_other_functions_are_told() {
    let guest = Guest::new("before: say SEEN\nafter: nothing\nhelper: nothing\n");
    let exports = guest.hooks();
    assert!(exports.hook(Hook::Before).is_some() && exports.hook(Hook::After).is_some());
    assert!(exports.hook(Hook::Error).is_none());
    assert_eq!(exports.others, ["helper"]);
}

#[test]
fn a_hook_replaces_a_value_or_keeps_it() {
    let guest = Guest::new("before: say SEEN\nafter: nothing\n");
    let exports = guest.hooks();
    let call = |hook: Hook| {
        let function = exports.hook(hook).unwrap();
        guest.native(function, Payload::json("\"a\""), &within(hook)).unwrap()
    };
    assert_eq!(text(call(Hook::Before)), r#""SEEN \"A\"""#);
    assert!(matches!(call(Hook::After), Payload::Nothing));
}

#[test]
fn a_hook_learns_which_one_it_is() {
    let guest = Guest::new("before: context\ntimeout: context\n");
    let exports = guest.hooks();
    for hook in [Hook::Before, Hook::Timeout] {
        let function = exports.hook(hook).unwrap();
        let told = text(guest.native(function, Payload::Nothing, &within(hook)).unwrap());
        assert!(told.contains(&format!("\"hook\":\"{hook}\"")), "{told}");
    }
}

#[test]
fn a_before_hook_answers_the_invocation_and_no_other_one_does() {
    let guest = Guest::new("before: reply {\"statusCode\": 401}\nafter: reply 1\n");
    let exports = guest.hooks();
    let invocation = within(Hook::Before);
    let before = exports.hook(Hook::Before).unwrap();
    let result = guest.native(before, Payload::json("1"), &invocation).unwrap();
    assert!(matches!(result, Payload::Nothing));
    let reply = invocation.exchange.take_reply().unwrap();
    assert_eq!(text(reply), "{\"statusCode\": 401}");
    let after = exports.hook(Hook::After).unwrap();
    let refused = guest.native(after, Payload::json("1"), &within(Hook::After)).unwrap_err();
    assert_eq!(refused.name(), "ReplyError");
    assert!(refused.message().ends_with("this is the hook after"), "{refused}");
}
