//! Answers that Lua gives out in pieces, through every door. Between two chunks the handlers here hold their thread, so that
//! a chunk which has arrived has not waited for a later one.

use crate::support::{
    Connection, Folder, LIMIT, Lambda, Platform, Process, Served, eventually, trine,
};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};
use trine_emulator::Answer;

/// What all of the handlers share: two parts, the second of which is made when there is a file `go`, or parts without end.
const PARTS: &str = r#"
local function touch(name) assert(io.open(name, "w")):close() end
local function exists(name)
  local file = io.open(name)
  return file ~= nil and file:close()
end
local function parts(event, send)
  local told <close> = setmetatable({}, { __close = function() touch("told") end })
  if not send("one\n") then return end
  if event.endless or event.rawPath == "/endless" then
    while send("more\n") do trine.sleep(0.002) end
    return
  end
  while not exists("go") do end
  send("two\n")
end
local function yield(chunk) coroutine.yield(chunk) return true end
"#;

/// Every form of handler that streams, by its name, and the media type of its answer.
const FORMS: [(&str, &str, &str); 4] = [
    (
        "coroutine",
        "return coroutine.create(function() parts(event, yield) end)",
        "text/plain; charset=utf-8",
    ),
    (
        "function",
        "local done return function() if done then return nil end done = true parts(event, yield) end",
        "text/plain; charset=utf-8",
    ),
    ("writes", "parts(event, context.write)", "text/plain; charset=utf-8"),
    (
        "head",
        "return coroutine.create(function()
           yield(trine.response { status = 201, cookies = { 'a=b', 'c=d' }, content_type = 'text/csv' })
           parts(event, yield)
         end)",
        "text/csv",
    ),
];

/// Makes a folder with a handler in `app.lua`.
fn folder(body: &str) -> Folder {
    let source = format!("{PARTS}return {{ handler = function(event, context) {body} end }}");
    Folder::new(&[("app.lua", &source)])
}

#[track_caller]
fn wait_for(folder: &Folder, file: &str) {
    let path = folder.task().join(file);
    eventually(&format!("there is a file {file}"), || path.exists().then_some(()));
}

/// Sends a request whose answer is read as it comes.
fn get(served: &Served, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads until this text has come; returns all of it.
#[track_caller]
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let (mut read, mut piece) = (String::new(), [0; 4096]);
    while !read.contains(text) {
        let length = stream.read(&mut piece).unwrap();
        assert_ne!(length, 0, "the end came before {text:?}: {read}");
        read.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    read
}

#[test]
fn a_client_of_the_server_has_each_chunk_before_the_next_is_made() {
    for (name, handler, content_type) in FORMS {
        let folder = folder(handler);
        let served = Served::start(&folder, &["app.lua", "--workers", "1"]);
        let mut stream = get(&served, "/");
        let head = read_until(&mut stream, "one\n\r\n").to_lowercase();
        let status = if name == "head" { "http/1.1 201 " } else { "http/1.1 200 " };
        assert!(head.starts_with(status), "{name}: {head}");
        assert!(head.contains(&format!("content-type: {content_type}\r\n")), "{name}: {head}");
        for cookie in ["set-cookie: a=b\r\n", "set-cookie: c=d\r\n"] {
            assert_eq!(head.contains(cookie), name == "head", "{name}: {head}");
        }
        assert!(!head.contains("two"), "{name}: {head}");
        folder.write("go", "");
        assert_eq!(read_until(&mut stream, "0\r\n\r\n"), "4\r\ntwo\n\r\n0\r\n\r\n", "{name}");
    }
}

#[test]
fn a_handler_is_told_that_the_servers_client_is_gone() {
    for (name, handler, _) in FORMS {
        let folder = folder(handler);
        let served = Served::start(&folder, &["app.lua", "--workers", "1"]);
        let mut stream = get(&served, "/endless");
        read_until(&mut stream, "more\n");
        drop(stream);
        wait_for(&folder, "told");
        folder.write("go", "");
        assert_eq!(served.get("/").text(), "one\ntwo\n", "{name}");
    }
}

#[test]
fn invoke_prints_each_chunk_before_the_next_is_made() {
    for (name, handler, _) in FORMS {
        let folder = folder(handler);
        let process = Process::start(trine(&folder, &["invoke", "app.lua", "-e", "{}"]));
        eventually(&format!("{name} prints its first part\n{process:?}"), || {
            process.stdout().contains("one\n").then_some(())
        });
        assert!(!process.stdout().contains("two"));
        folder.write("go", "");
        let finished = process.finish();
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "one\ntwo\n"), "{name}");
    }
}

#[test]
fn lambda_has_each_chunk_before_the_next_is_made_and_tells_that_its_caller_is_gone() {
    for (name, handler, content_type) in FORMS {
        let folder = folder(handler);
        let (platform, process) = Platform::start(&folder, "app.handler", |_| ());
        let mut exchange = platform.accept(&process);
        exchange.hand_out(&json!({}));
        let head = exchange.head();
        let mut text = exchange.text();
        while !text.contains("one\n") {
            text.push_str(&exchange.text());
        }
        let integration = "application/vnd.awslambda.http-integration-response";
        let expected = if name == "head" { integration } else { content_type };
        assert_eq!(head.header("content-type"), Some(expected), "{name}");
        assert_eq!(text.starts_with("{\""), name == "head", "{name}: {text}");
        folder.write("go", "");
        assert_eq!(exchange.text(), "two\n", "{name}");
        assert_eq!((exchange.chunk(), exchange.trailers()), (None, Vec::new()), "{name}");
        exchange.accepted();
        std::fs::remove_file(folder.task().join("told")).unwrap();
        let mut exchange = platform.accept(&process);
        exchange.hand_out(&json!({"endless": true}));
        exchange.head();
        while !exchange.text().contains("more\n") {}
        drop(exchange);
        platform.accept_next(&process);
        assert!(folder.task().join("told").exists(), "{name}");
    }
}

#[test]
fn errors_are_ordinary_ones_before_the_first_chunk_and_trailers_afterwards() {
    let folder = folder(
        "local function fail() error { type = 'OutOfStock', message = 'no anvil left' } end
         local function pieces(send)
           if event.after then send('a') send('b') end
           fail()
         end
         if event.writes then return pieces(context.write) end
         return coroutine.create(function() pieces(yield) end)",
    );
    let lambda = Lambda::start(&folder, "app.handler");
    for writes in [true, false] {
        let (_, document) = lambda.fail(json!({"after": false, "writes": writes}));
        assert_eq!(document["errorType"], "OutOfStock", "{document}");
        let outcome = lambda.outcome(json!({"after": true, "writes": writes}));
        let Answer::Response { bytes, streamed, trailers, .. } = &outcome.result else {
            panic!("{outcome:?}")
        };
        assert_eq!((&bytes[..], *streamed), (&b"ab"[..], true));
        let kind = trailers.iter().find(|(name, _)| name.ends_with("error-type"));
        assert_eq!(kind.unwrap().1, "Function.OutOfStock");
    }
    lambda.emulator.assert_clean();
}

#[test]
fn thirty_megabytes_for_a_slow_reader_stay_where_they_are_made() {
    let folder = folder(
        "local size = event.rawPath == '/small' and 5000 or 50000
         local piece, left = ('x'):rep(size), 30e6 / size
         if event.rawPath == '/writes' then
           for _ = 1, left do context.write(piece) end
           return
         end
         return function() left = left - 1 return left >= 0 and piece or nil end",
    );
    let served = Served::start(&folder, &["app.lua", "--workers", "1"]);
    for path in ["/large", "/small", "/writes"] {
        let before = served.process.kilobytes("VmRSS:");
        let mut stream = get(&served, path);
        let mut piece = vec![0; 1 << 17];
        let (mut length, mut most) = (0, before);
        loop {
            match stream.read(&mut piece).unwrap() {
                0 => break,
                read => length += read,
            }
            most = most.max(served.process.kilobytes("VmRSS:"));
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(length >= 30_000_000, "{path}: {length}");
        assert!(most - before < 60_000, "{path} took {} kB", most - before);
    }
}

#[test]
fn a_middleware_sees_the_head_or_asks_for_the_whole() {
    let folder = folder(
        "return coroutine.create(function()
           yield(trine.response { status = 201, content_type = 'text/plain' })
           yield('one ') yield('two')
         end)",
    );
    folder.write(
        "middlewares/look.lua",
        "return {
           before = function(event, context)
             if event.rawPath == '/before' then context.buffer_response() end
           end,
           after = function(response, context)
             if response.body == nil and context.state.asked == nil then
               context.state.asked = true
               if context.state.wants then context.buffer_response() return end
             end
             response.headers['x-saw'] = tostring(response.body)
             return response
           end,
         }",
    );
    folder.write(
        "middlewares/want.lua",
        "return { before = function(event, context) context.state.wants = event.rawPath == '/after' end }",
    );
    let line = ["app.lua", "--workers", "1", "--middlewares", "want,look"];
    let served = Served::start(&folder, &line);
    for (path, saw) in [("/", "nil"), ("/before", "one two"), ("/after", "one two")] {
        let reply = served.get(path);
        assert_eq!((reply.status, reply.text()), (201, "one two"), "{path}");
        assert_eq!(reply.header("x-saw"), Some(saw), "{path}");
        let is_chunked = reply.header("transfer-encoding") == Some("chunked");
        assert_eq!(is_chunked, path == "/", "{path}");
    }
}

#[test]
fn a_connection_is_used_again_after_a_stream() {
    let folder = folder("return ('a b'):gmatch('%a')");
    let served = Served::start(&folder, &["app.lua"]);
    let mut connection = Connection::open(served.address);
    for _ in 0..3 {
        assert_eq!(connection.exchange("GET", "/", &[], b"").text(), "ab");
    }
}
