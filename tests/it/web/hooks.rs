//! Middlewares around web applications: hooks see an event and a response object.

use super::APPLICATIONS;
use crate::support::{Folder, Served};
use serde_json::json;

const STAMPS: &str = "return {\n\
    before = function(event, context)\n\
    \x20 if event.rawPath == '/early' then context.reply({ statusCode = 418, body = 'early' }) return end\n\
    \x20 if event.rawPath == '/moved' then event.rawPath = '/other' event.rawQueryString = 'moved=1' return event end\n\
    end,\n\
    after = function(response)\n\
    \x20 response.headers = response.headers or {}\n\
    \x20 response.headers['x-stamp'] = tostring(response.statusCode)\n\
    \x20 return response\n\
    end }";

#[test]
fn hooks_see_events_and_responses_and_may_change_both() {
    for application in APPLICATIONS {
        let folder = Folder::new(&[
            (application.file, application.source),
            ("middlewares/stamps.lua", STAMPS),
        ]);
        let mut command =
            crate::support::trine(&folder, &["serve", "--port", "0", application.named]);
        command.env("TRINE_MIDDLEWARES", "stamps");
        let served = Served::of(command);
        let reply = served.request("POST", "/a?x=1", &[], b"hello");
        assert_eq!(reply.status, 201, "{application:?}: {}\n{:?}", reply.text(), served.process);
        assert_eq!(reply.header("x-stamp"), Some("201"), "{application:?}");
        assert_eq!(reply.all("set-cookie"), ["a=1", "b=2"], "{application:?}");
        assert_eq!(reply.json()["body"], "hello", "{application:?}");
        let reply = served.get("/moved");
        let seen = reply.json();
        assert_eq!((&seen["path"], &seen["query"]), (&json!("/other"), &json!("moved=1")));
        let reply = served.get("/early");
        assert_eq!((reply.status, reply.text()), (418, "early"), "{application:?}");
        let reply = served.get("/stream");
        assert_eq!(
            (reply.header("x-stamp"), reply.text()),
            (Some("200"), "chunk 0\nchunk 1\nchunk 2\n")
        );
        let reply = served.get("/bytes");
        assert_eq!(reply.body.len(), 256, "{application:?}");
    }
}
