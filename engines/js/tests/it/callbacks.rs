//! Handlers that answer through a callback, whatever they return.

use crate::support::Guest;
use deno_runtime::tokio_util::create_and_run_current_thread;
use trine_engine::Wanted;

/// Returns the answer of the handler of this name to `null`: `through the callback`, or its result.
async fn answer(guest: &Guest, name: &str) -> String {
    let exports = guest.load("app.mjs", Wanted::Handler(name.into())).await.unwrap();
    guest.call(exports.functions[0].1, "null").await.unwrap()
}

#[test]
fn a_declared_callback_is_found_whatever_form_the_parameters_have() {
    let source = r#"
const later = (callback) => setTimeout(() => callback(null, "through the callback"), 5);
export const plain = (e, c, callback) => later(callback);
export const defaulted = (e, c, callback = () => {}) => later(callback);
export const early = (e = {}, c, callback) => later(callback);
export const rest = (e, c, ...others) => later(others[0]);
export const odd = (
  e = { a: "),(", b: [1, 2], c: `${"`"},` /* , ( */ }, // a, b, c
  { d = /[/,)]/.source } = {},
  callback = (x, y) => x,
) => later(callback);
export function named(e, c, callback = undefined) { return later(callback); }
export const { method } = { method(e, c, callback = null) { return later(callback); } };
export const bound = (function (own, e, c, callback) { return later(callback); }).bind(null, 1);
export const more = (e, c, callback, one, two) => later(callback);
"#;
    let names = ["plain", "defaulted", "early", "rest", "odd", "named", "method", "bound", "more"];
    let guest = Guest::new(source);
    create_and_run_current_thread(async move {
        for name in names {
            assert_eq!(answer(&guest, name).await, "\"through the callback\"", "{name}");
        }
    });
}

#[test]
fn what_is_returned_counts_where_no_callback_is_declared() {
    let source = r#"
export const none = () => "returned";
export const one = e => "returned";
export const two = (e, c) => "returned";
export const trailing = (e, c,) => "returned";
export const defaulted = (e, c = { a: [1, 2, 3] }) => "returned";
export const texts = (e = "a,b,c", c = `,${[1, 2].join(",")},`) => "returned";
export const rest = (...everything) => "returned";
export const bound = (function (own, e, c) { return "returned"; }).bind(null, 1);
export const proxied = new Proxy(() => "returned", {});
export function uses() { return arguments.length === 3 ? "returned" : arguments.length; }
export const promised = async (e, c, callback) => "returned";
"#;
    let names = [
        "none",
        "one",
        "two",
        "trailing",
        "defaulted",
        "texts",
        "rest",
        "bound",
        "proxied",
        "uses",
        "promised",
    ];
    let guest = Guest::new(source);
    create_and_run_current_thread(async move {
        for name in names {
            assert_eq!(answer(&guest, name).await, "\"returned\"", "{name}");
        }
    });
}

#[test]
fn whoever_hands_on_what_it_is_given_waits_for_the_callback() {
    let source = r#"
const inner = (e, c, callback) => { setTimeout(() => callback(null, "through the callback"), 5); };
export const rest = (...everything) => { inner(...everything); };
export const applied = function () { inner.apply(this, arguments); };
export const spread = function () { inner(...arguments); };
export const third = function () { inner(null, null, arguments[2]); };
"#;
    let guest = Guest::new(source);
    create_and_run_current_thread(async move {
        for name in ["rest", "applied", "spread", "third"] {
            assert_eq!(answer(&guest, name).await, "\"through the callback\"", "{name}");
        }
    });
}
