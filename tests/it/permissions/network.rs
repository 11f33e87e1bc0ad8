//! Hosts.

use super::{HELLO, JAVASCRIPT, LUA, Narrowed, PROBES, PYTHON, server};
use serde_json::json;
use std::net::SocketAddr;

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

#[test]
fn what_is_not_allowed_by_name_is_refused() {
    let (allowed, other) = (server(HELLO), server(HELLO));
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &[&format!("--allow-net={allowed}")]);
        assert_eq!(narrowed.may("fetch", json!([url(allowed)])), "hello");
        narrowed.may_not("fetch", json!([url(other)]), "net");
        narrowed.may_not("fetch", json!([format!("http://localhost:{}/", allowed.port())]), "net");
        // Nothing else is allowed then.
        narrowed.may_not("read", json!(["/etc/passwd"]), "read");
        narrowed.may_not("write", json!([narrowed.file("a")]), "write");
    }
}

#[test]
fn a_host_without_a_port_and_everything() {
    let server = server(HELLO);
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &["--allow-net=127.0.0.1"]);
        assert_eq!(narrowed.may("fetch", json!([url(server)])), "hello");
        let narrowed = Narrowed::start(probe, &["--allow-net"]);
        assert_eq!(narrowed.may("fetch", json!([url(server)])), "hello");
        narrowed.may_not("run", json!(["/bin/true"]), "run");
    }
}

#[test]
fn what_is_denied_is_refused_whatever_is_allowed() {
    let (denied, other) = (server(HELLO), server(HELLO));
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &["--allow-net", &format!("--deny-net={denied}")]);
        narrowed.may_not("fetch", json!([url(denied)]), "net");
        assert_eq!(narrowed.may("fetch", json!([url(other)])), "hello");
        let narrowed = Narrowed::start(probe, &["--deny-net"]);
        narrowed.may_not("fetch", json!([url(other)]), "net");
        // Whatever else there is stays allowed.
        narrowed.may("write", json!([narrowed.file("a")]));
    }
}

#[test]
fn a_denied_address_is_not_reached_by_a_name() {
    let denied = server(HELLO);
    let local = format!("http://localhost:{}/", denied.port());
    let number = format!("http://0x7f000001:{}/", denied.port());
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &["--deny-net=127.0.0.0/8"]);
        narrowed.may_not("fetch", json!([local]), "net");
        narrowed.may_not("fetch", json!([number]), "net");
    }
    let narrowed = Narrowed::start(PYTHON, &["--deny-net=127.0.0.0/8"]);
    narrowed.may_not("connect_directly", json!(["localhost", denied.port()]), "net");
    narrowed.may_not("connect_directly", json!(["127.1", denied.port()]), "net");
    let narrowed = Narrowed::start(JAVASCRIPT, &["--deny-net=127.0.0.0/8"]);
    narrowed.may_not("get", json!([local]), "net");
    narrowed.may_not("connect", json!(["localhost", denied.port()]), "net");
}

#[test]
fn a_redirect_leads_to_no_host_that_is_not_allowed() {
    let goal = server(HELLO);
    let answer = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{goal}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let redirecting = server(Box::leak(answer.into_boxed_str()));
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &[&format!("--allow-net={redirecting}")]);
        narrowed.may_not("fetch", json!([url(redirecting)]), "net");
        let narrowed = Narrowed::start(probe, &[&format!("--allow-net={redirecting},{goal}")]);
        assert_eq!(narrowed.may("fetch", json!([url(redirecting)])), "hello");
    }
}

#[test]
fn a_name_that_is_allowed_leads_to_its_addresses() {
    let server = server(HELLO);
    let port = server.port();
    let flag = format!("--allow-net=localhost:{port}");
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &[&flag]);
        let local = format!("http://localhost:{port}/");
        assert_eq!(narrowed.may("fetch", json!([local])), "hello");
    }
    let narrowed = Narrowed::start(PYTHON, &[&flag]);
    narrowed.may_not("connect", json!(["127.0.0.1", port]), "net");
    for op in ["connect", "connect_directly", "connect_later"] {
        assert_eq!(narrowed.may(op, json!(["localhost", port])), "connected", "{op}");
    }
    narrowed.may_not("connect", json!(["localhost", 1]), "net");
    narrowed.may_not("look_up", json!(["other.invalid"]), "net");
}

#[test]
fn sockets_of_all_kinds_ask() {
    let server = server(HELLO);
    let (host, port) = ("127.0.0.1", server.port());
    let flag = format!("--allow-net={server}");
    for probe in [JAVASCRIPT, PYTHON] {
        let narrowed = Narrowed::start(probe, &[&flag]);
        assert_eq!(narrowed.may("connect", json!([host, port])), "connected");
        narrowed.may_not("connect", json!([host, 1]), "net");
        narrowed.may_not("connect", json!(["::ffff:127.0.0.1", 1]), "net");
        narrowed.may_not("send", json!([host, 9]), "net");
        narrowed.may_not("listen", json!([host]), "net");
        let narrowed = Narrowed::start(probe, &["--allow-net=127.0.0.1"]);
        assert_eq!(narrowed.may("listen", json!([host])), "listening");
        narrowed.may_not("listen", json!(["0.0.0.0"]), "net");
        narrowed.may_not("look_up", json!(["other.invalid"]), "net");
    }
    let narrowed = Narrowed::start(PYTHON, &[&flag]);
    narrowed.may_not("raw_socket", json!([]), "net");
    let narrowed = Narrowed::start(JAVASCRIPT, &[&flag]);
    narrowed.may_not("get", json!([format!("http://{host}:1/")]), "net");
    assert_eq!(narrowed.may("get", json!([url(server)])), "hello");
}

#[test]
fn other_threads_and_coroutines_may_do_no_more() {
    let (allowed, other) = (server(HELLO), server(HELLO));
    let flag = format!("--allow-net={allowed}");
    for (probe, ops) in [
        (JAVASCRIPT, &["thread"][..]),
        (PYTHON, &["thread", "raw_thread", "bare_context", "forged_scope"]),
        (LUA, &["coroutine"]),
    ] {
        let narrowed = Narrowed::start(probe, &[&flag]);
        for op in ops {
            narrowed.may_not(op, json!(["fetch", url(other)]), "net");
            narrowed.may_not(op, json!(["read", "/etc/passwd"]), "read");
            assert_eq!(narrowed.may(op, json!(["fetch", url(allowed)])), "hello", "{op}");
        }
    }
}

#[test]
fn more_cannot_be_asked_for() {
    let narrowed = Narrowed::start(JAVASCRIPT, &["--allow-net=127.0.0.1"]);
    for kind in ["net", "read", "write", "env", "run", "ffi"] {
        let state = narrowed.ask("ask_for_more", json!([kind]));
        assert_ne!(state["ok"], "granted", "{kind}: {state}");
    }
}
