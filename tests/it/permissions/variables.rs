//! Environment variables.

use super::{JAVASCRIPT, LUA, Narrowed, PROBES, PYTHON};
use serde_json::{Value, json};

#[test]
fn a_variable_that_is_not_allowed_is_not_there() {
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &["--allow-env=SHOWN", "--allow-net"]);
        assert_eq!(narrowed.may("variable", json!(["SHOWN"])), "yes");
        assert_eq!(narrowed.may("variable", json!(["SHOWN_TOO"])), Value::Null);
        assert_eq!(narrowed.may("variable", json!(["SECRET"])), Value::Null);
        let narrowed = Narrowed::start(probe, &["--allow-env=SHOWN*", "--deny-env=SHOWN_TOO"]);
        assert_eq!(narrowed.may("variable", json!(["SHOWN"])), "yes");
        assert_eq!(narrowed.may("variable", json!(["SHOWN_TOO"])), Value::Null);
        let narrowed = Narrowed::start(probe, &["--allow-net"]);
        assert_eq!(narrowed.may("variable", json!(["SHOWN"])), Value::Null);
        let narrowed = Narrowed::start(probe, &["--deny-env=SECRET"]);
        assert_eq!(narrowed.may("variable", json!(["SECRET"])), Value::Null);
        assert_eq!(narrowed.may("variable", json!(["SHOWN"])), "yes");
    }
}

#[test]
fn what_is_listed_and_set_is_what_is_allowed() {
    for probe in [JAVASCRIPT, PYTHON] {
        let narrowed = Narrowed::start(probe, &["--allow-env=SHOWN*,NEW"]);
        assert_eq!(narrowed.may("variables", json!([])), json!(["SHOWN", "SHOWN_TOO"]));
        assert_eq!(narrowed.may("set", json!(["NEW", "1"])), "1");
        narrowed.may_not("set", json!(["LD_PRELOAD", "/a.so"]), "env");
    }
    let narrowed = Narrowed::start(JAVASCRIPT, &["--allow-env=SHOWN"]);
    assert_eq!(narrowed.may("variable_deno", json!(["SECRET"])), Value::Null);
    let narrowed = Narrowed::start(PYTHON, &["--allow-env=SHOWN"]);
    assert_eq!(narrowed.may("getenv", json!(["SECRET"])), Value::Null);
}

#[test]
fn programs_get_what_the_function_sees() {
    let shown = "echo ${SHOWN:-none} ${SECRET:-none}";
    for (probe, op) in [(JAVASCRIPT, "shell"), (PYTHON, "shell"), (LUA, "run")] {
        let narrowed = Narrowed::start(probe, &["--allow-env=SHOWN,PATH", "--allow-run"]);
        assert_eq!(narrowed.may(op, json!([shown])), "yes none", "{}", probe.extension);
    }
    let narrowed = Narrowed::start(PYTHON, &["--allow-env=SHOWN,PATH", "--allow-run"]);
    assert_eq!(narrowed.may("system", json!(["test -z \"$SECRET\""])), 0);
}
