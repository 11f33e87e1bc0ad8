//! What a function may do can be narrowed: by flags, variables and `trine.toml`, in every language.

mod files;
mod network;
mod programs;
mod settings;
mod variables;

use crate::support::{Folder, Served, trine};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    thread,
};

/// A language, and a handler that does what its event asks for.
#[derive(Clone, Copy)]
struct Probe {
    extension: &'static str,
    source: &'static str,
}

const JAVASCRIPT: Probe = Probe { extension: "mjs", source: include_str!("permissions/probe.mjs") };
const PYTHON: Probe = Probe { extension: "py", source: include_str!("permissions/probe.py") };
const LUA: Probe = Probe { extension: "lua", source: include_str!("permissions/probe.lua") };
const PROBES: [Probe; 3] = [JAVASCRIPT, PYTHON, LUA];

/// A server of one probe, and a place for files beside it.
struct Narrowed {
    folder: Folder,
    served: Served,
}

impl Narrowed {
    /// Serves a probe with these flags, in which `@` stands for the folder of files.
    #[track_caller]
    fn start(probe: Probe, flags: &[&str]) -> Self {
        Self::prepared(probe, flags, |_| ())
    }

    /// Does the same after `prepare` has been given the folder.
    #[track_caller]
    fn prepared(probe: Probe, flags: &[&str], prepare: impl FnOnce(&Files)) -> Self {
        let folder = Folder::new(&[(&format!("probe.{}", probe.extension), probe.source)]);
        let files = Files(files_of(&folder));
        std::fs::create_dir_all(&files.0).unwrap();
        prepare(&files);
        let place = files.0.to_str().unwrap();
        let flags: Vec<String> = flags.iter().map(|flag| flag.replace('@', place)).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let usual = ["serve", "--port", "0", "--workers", "1", "--event-format", "raw"];
        let mut command = trine(&folder, &[&usual[..], &flags].concat());
        command.env("SHOWN", "yes").env("SHOWN_TOO", "also").env("SECRET", "hidden");
        // As on Lambda.
        command.env("LD_LIBRARY_PATH", "/var/lang/lib");
        Self { served: Served::of(command), folder }
    }

    /// Returns the path of a file beside the function's folder.
    fn file(&self, name: &str) -> String {
        files_of(&self.folder).join(name).to_str().unwrap().to_owned()
    }

    /// Asks the function to do something; returns what came of it.
    #[track_caller]
    fn ask(&self, op: &str, args: Value) -> Value {
        self.served.post("/", &json!({"op": op, "args": args}).to_string()).json()
    }

    /// Has the function do what it may do. Returns the result.
    #[track_caller]
    fn may(&self, op: &str, args: Value) -> Value {
        let outcome = self.ask(op, args.clone());
        let result = outcome.get("ok").cloned();
        result.unwrap_or_else(|| panic!("{op} {args}: {outcome}\n{:?}", self.served.process))
    }

    /// Has the function try what it may not do; the refusal is about this kind of access.
    #[track_caller]
    fn may_not(&self, op: &str, args: Value, access: &str) {
        let outcome = self.ask(op, args.clone());
        let message = outcome.to_string();
        let told = message.contains(&format!("Requires {access} access"))
            || message.contains(&format!("--allow-{access}"))
            // What Node says where a name may not be looked up.
            || access == "net" && message.contains("getaddrinfo EPERM");
        assert!(told, "{op} {args}: {outcome}\n{:?}", self.served.process);
    }
}

/// The folder of files beside a function's.
struct Files(PathBuf);

fn files_of(folder: &Folder) -> PathBuf {
    folder.task().parent().unwrap().canonicalize().unwrap().join("files")
}

/// Starts an HTTP server that answers every request with `answer`, its address in the place of `@`.
fn server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let mut request = [0; 4096];
                if stream.read(&mut request).unwrap_or(0) > 0 {
                    let _ = stream.write_all(answer.as_bytes());
                }
            });
        }
    });
    address
}

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
