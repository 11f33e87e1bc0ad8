//! `context.state`, shared with functions of other languages.

use crate::support::{Guest, run};
use bytes::Bytes;
use std::{any::Any, rc::Rc};
use trine_engine::{Error, ErrorKind, Invocation, NativeValue, Payload, Result};
use trine_testkit::guest;

/// A value of another language's.
struct Foreign(bool);

impl NativeValue for Foreign {
    fn engine(&self) -> &'static str {
        "foreign"
    }

    fn to_json(&self) -> Result<Bytes> {
        match self.0 {
            true => Ok(Bytes::from_static(b"[1]")),
            false => Err(Error::new(ErrorKind::Marshal, "a function has no JSON form")),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn call(guest: &Guest, name: &str, invocation: &Rc<Invocation>) -> Result<String> {
    run(guest.call(guest.handler(name), "null", invocation))
}

#[test]
fn what_one_function_writes_another_reads_until_the_invocation_is_over() {
    let guest = Guest::new("set: set user {\"id\": 1}\nget: get user\nremove: set user\n");
    let invocation = Rc::new(guest::invocation("id-1"));
    assert_eq!(call(&guest, "get", &invocation).unwrap(), "\"none\"");
    assert_eq!(call(&guest, "set", &invocation).unwrap(), "0");
    assert_eq!(call(&guest, "get", &invocation).unwrap(), "{\"id\": 1}");
    assert_eq!(invocation.exchange.state_to_json().unwrap(), "{\"user\":{\"id\": 1}}");
    let other = Rc::new(guest::invocation("id-2"));
    assert_eq!(call(&guest, "get", &other).unwrap(), "\"none\"");
    assert_eq!(call(&guest, "remove", &invocation).unwrap(), "0");
    assert!(!invocation.exchange.has_state("user"));
}

#[test]
fn values_of_other_languages_cross_or_say_why_not() {
    let guest = Guest::new("list: get list\nf: get f\n");
    let invocation = Rc::new(guest::invocation("id-1"));
    for (key, crosses) in [("list", true), ("f", false)] {
        invocation.exchange.write_state(key, Payload::Native(Rc::new(Foreign(crosses))));
    }
    assert_eq!(call(&guest, "list", &invocation).unwrap(), "[1]");
    let error = call(&guest, "f", &invocation).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Marshal);
    assert_eq!(
        error.message(),
        "context.state.f cannot be read by Shout: a function has no JSON form"
    );
}

#[test]
fn what_is_no_json_is_not_written() {
    let guest = Guest::new("set: set user nonsense\n");
    let invocation = Rc::new(guest::invocation("id-1"));
    assert_eq!(call(&guest, "set", &invocation).unwrap(), "1");
    assert!(!invocation.exchange.has_state("user"));
}
