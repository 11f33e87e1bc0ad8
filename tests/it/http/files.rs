//! Folders of files beside functions.

use crate::support::{Connection, Folder, Reply, Served};
use std::{fs, os::unix::fs::symlink, time::Duration};

const PAGE: &str = "<!doctype html>\n<title>Zoo</title>\n";

/// Makes a function, and files at `/assets` and below `/`.
fn zoo() -> Folder {
    let folder = Folder::new(&[
        ("pets.mjs", "export const handler = (event) => ({ path: event.rawPath });"),
        ("public/app.css", "body { color: green }\n"),
        ("public/app.js", "console.log('no function');\n"),
        ("public/café.txt", "crème\n"),
        ("public/logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("public/raw.bin", "0123456789"),
        ("public/empty.txt", ""),
        ("public/docs/index.html", PAGE),
        ("public/.env", "SECRET=1\n"),
        ("public/.well-known/security.txt", "Contact: none\n"),
        ("secret.txt", "nobody's affair\n"),
        ("site/index.html", PAGE),
        ("site/about.html", "about"),
        (
            "trine.toml",
            "[[static]]\npath = \"/assets\"\nfolder = \"public\"\ncache-control = \"max-age=60\"\n\
             [[static]]\npath = \"/\"\nfolder = \"site\"\nfallback = \"index.html\"\n\
             [[route]]\nmethod = \"POST\"\npath = \"/about.html\"\nfunction = \"pets\"\n\
             [[route]]\npath = \"/assets/api/{id}\"\nfunction = \"pets\"\n",
        ),
    ]);
    symlink(folder.file("secret.txt"), folder.file("public/out.txt")).unwrap();
    symlink(folder.task(), folder.file("public/up")).unwrap();
    symlink("app.css", folder.file("public/same.css")).unwrap();
    folder
}

fn served(folder: &Folder) -> Served {
    Served::start(folder, &["--workers", "1"])
}

fn with(served: &Served, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    served.request(method, path, headers, b"")
}

#[test]
fn files_are_served_with_their_types_beside_functions() {
    let folder = zoo();
    let served = served(&folder);
    for (path, kind, body) in [
        ("/assets/app.css", "text/css; charset=utf-8", "body { color: green }\n"),
        ("/assets/same.css", "text/css; charset=utf-8", "body { color: green }\n"),
        ("/assets/app.js", "text/javascript; charset=utf-8", "console.log('no function');\n"),
        ("/assets/caf%C3%A9.txt", "text/plain; charset=utf-8", "crème\n"),
        (
            "/assets/logo.svg",
            "image/svg+xml; charset=utf-8",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        ),
        ("/assets/raw.bin", "application/octet-stream", "0123456789"),
        ("/assets/empty.txt", "text/plain; charset=utf-8", ""),
        ("/assets/docs/", "text/html; charset=utf-8", PAGE),
        ("/assets/.well-known/security.txt", "text/plain; charset=utf-8", "Contact: none\n"),
        ("/about.html", "text/html; charset=utf-8", "about"),
        ("/", "text/html; charset=utf-8", PAGE),
    ] {
        let reply = served.get(path);
        assert_eq!((reply.status, reply.text()), (200, body), "{path}");
        assert_eq!(reply.header("content-type"), Some(kind), "{path}");
        assert_eq!(reply.header("content-length"), Some(body.len().to_string().as_str()), "{path}");
        let cache_control = path.starts_with("/assets").then_some("max-age=60");
        assert_eq!(reply.header("cache-control"), cache_control, "{path}");
        let head = with(&served, "HEAD", path, &[]);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["content-type", "content-length", "etag", "last-modified"] {
            assert_eq!(head.header(name), reply.header(name), "{path} {name}");
            assert!(head.header(name).is_some(), "{path} {name}");
        }
    }
    assert_eq!(served.get("/pets/7").text(), "{\"path\":\"/7\"}");
    assert_eq!(served.get("/assets/api/7").text(), "{\"path\":\"/assets/api/7\"}");
    assert_eq!(served.post("/about.html", "{}").status, 200);
    let banner = served.process.stdout();
    assert!(banner.contains("/assets  public\n") && banner.contains("/  site\n"), "{banner}");
}

#[test]
fn there_is_no_way_out_of_the_folder() {
    let folder = zoo();
    let served = served(&folder);
    for path in [
        "/assets/../secret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/..%2fsecret.txt",
        "/assets/%2e%2e%2fsecret.txt",
        "/assets/docs/../../secret.txt",
        "/assets//etc/passwd",
        "/assets/%2fetc/passwd",
        "/assets/out.txt",
        "/assets/up/secret.txt",
        "/assets/up/",
        "/assets/.env",
        "/assets/%2eenv",
        "/assets/.",
        "/assets/app.css/",
        "/assets/app.css%00.txt",
        "/assets/%ff",
        "/assets/gone.css",
        "/assets/",
    ] {
        let reply = served.get(path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
        let text = String::from_utf8_lossy(&reply.body);
        assert!(!text.contains("affair") && !text.contains("SECRET"), "{path}: {text}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let reply = with(&served, method, "/assets/app.css", &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let reply = served.get("/assets/docs");
    assert_eq!((reply.status, reply.header("location")), (308, Some("./docs/")));
}

#[test]
fn pages_without_a_file_are_those_of_the_application() {
    let folder = zoo();
    let served = served(&folder);
    for path in ["/users/7", "/users/7/", "/a/b/c"] {
        let reply = served.get(path);
        assert_eq!((reply.status, reply.text()), (200, PAGE), "{path}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    }
    for path in ["/gone.js", "/users/photo.png"] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
}

#[test]
fn who_knows_a_file_is_not_sent_it_again() {
    let folder = zoo();
    let served = served(&folder);
    let first = served.get("/assets/app.css");
    let (etag, modified) = (first.header("etag").unwrap(), first.header("last-modified").unwrap());
    let mut connection = Connection::open(served.address);
    for headers in [
        &[("if-none-match", etag)][..],
        &[("if-none-match", "*")],
        &[("if-none-match", "\"a\", W/\"b\""), ("if-none-match", etag)],
        &[("if-modified-since", modified)],
        &[("if-none-match", etag), ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
    ] {
        let reply = connection.exchange("GET", "/assets/app.css", headers, b"");
        assert_eq!((reply.status, reply.body.len()), (304, 0), "{headers:?}");
        assert_eq!(reply.header("etag"), Some(etag), "{headers:?}");
        assert_eq!(reply.header("cache-control"), Some("max-age=60"), "{headers:?}");
    }
    for (headers, status) in [
        (&[("if-none-match", "\"other\""), ("if-modified-since", modified)][..], 200),
        (&[("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], 200),
        (&[("if-match", "\"other\"")], 412),
        (&[("if-match", etag)], 200),
        (&[("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], 412),
    ] {
        let reply = connection.exchange("GET", "/assets/app.css", headers, b"");
        assert_eq!(reply.status, status, "{headers:?}");
    }
    folder.write("public/app.css", "body { color: blue; }\n");
    let reply = with(&served, "GET", "/assets/app.css", &[("if-none-match", etag)]);
    assert_eq!((reply.status, reply.text()), (200, "body { color: blue; }\n"));
    assert_ne!(reply.header("etag"), Some(etag));
}

#[test]
fn parts_of_a_file_are_sent_where_they_are_asked_for() {
    let folder = zoo();
    let served = served(&folder);
    let etag = served.get("/assets/raw.bin").header("etag").unwrap().to_owned();
    let mut connection = Connection::open(served.address);
    for (headers, status, range, body) in [
        (&[("range", "bytes=2-4")][..], 206, Some("bytes 2-4/10"), "234"),
        (&[("range", "bytes=7-")], 206, Some("bytes 7-9/10"), "789"),
        (&[("range", "bytes=-3")], 206, Some("bytes 7-9/10"), "789"),
        (&[("range", "bytes=2-400")], 206, Some("bytes 2-9/10"), "23456789"),
        (&[("range", "bytes=20-30")], 416, Some("bytes */10"), ""),
        (&[("range", "bytes=0-1,4-5")], 200, None, "0123456789"),
        (&[("range", "lines=1-2")], 200, None, "0123456789"),
        (&[("range", "bytes=0-1"), ("if-range", "\"other\"")], 200, None, "0123456789"),
        (&[("range", "bytes=0-1"), ("if-range", &etag)], 206, Some("bytes 0-1/10"), "01"),
    ] {
        let reply = connection.exchange("GET", "/assets/raw.bin", headers, b"");
        assert_eq!((reply.status, reply.text()), (status, body), "{headers:?}");
        assert_eq!(reply.header("content-range"), range, "{headers:?}");
    }
}

#[test]
fn a_large_file_comes_whole_and_a_reader_that_leaves_harms_nobody() {
    let folder = zoo();
    let large: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
    folder.write("public/large.bin", &large);
    let served = served(&folder);
    let mut gone = Connection::open(served.address);
    gone.send("GET", "/assets/large.bin", &[], b"");
    drop(gone);
    let mut connection = Connection::open(served.address);
    let reply = connection.exchange("GET", "/assets/large.bin", &[], b"");
    assert!(reply.status == 200 && reply.body == large);
    assert_eq!(connection.exchange("GET", "/pets", &[], b"").status, 200);
    // What is being sent when the server is asked to stop is sent to its end.
    connection.send("GET", "/assets/large.bin", &[], b"");
    std::thread::sleep(Duration::from_millis(100));
    served.process.signal("TERM");
    assert!(connection.receive("GET").body == large);
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn a_folder_without_functions_is_served_too() {
    let folder = Folder::new(&[
        ("site/index.html", PAGE),
        ("trine.toml", "[[static]]\npath = \"/\"\nfolder = \"site\"\n"),
    ]);
    let served = served(&folder);
    assert_eq!(served.get("/").text(), PAGE);
    assert_eq!(served.get("/.trine/health").text(), "ok");
    assert_eq!(served.get("/gone").status, 404);
    let fifo = folder.file("site/pipe");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success() && fs::metadata(&fifo).is_ok());
    assert_eq!(served.get("/pipe").status, 404);
}
