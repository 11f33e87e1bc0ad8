//! The HTTP front door: arbitrary requests, arbitrary results, bytes that are neither.

mod answers;
mod client;
mod requests;

use crate::support::{LUA, Language, environment, languages};
use client::Connection;
use std::{fs, net::SocketAddr};
use tempfile::TempDir;
use trine::{
    engines::Registry,
    http::{Running, ServeOptions, Server, Site},
    worker::WorkerOptions,
};

/// A handler that answers with what the body says if asked to, otherwise with the event.
const HANDLER: &str = r#"
local function handler(event)
  if event.headers["x-answer"] then
    return trine.json.decode(event.body)
  end
  return event
end
return { handler = handler }
"#;

/// A server of one Lua function on a free port: Lua starts in no time and keeps what it is given.
struct Served {
    running: Option<Running>,
    address: SocketAddr,
    _folder: TempDir,
}

impl Served {
    /// Starts the server; `None` where this build has no Lua.
    fn start() -> Option<Self> {
        let lua: Language = languages().into_iter().find(|language| *language == LUA)?;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("app.{}", lua.extension));
        fs::write(&file, HANDLER).unwrap();
        let site = Site::open(file.to_str().unwrap(), &Registry::built_in()).unwrap();
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap());
        options.workers = 1;
        let server = Server::bind(options, site).unwrap();
        let running = server.start(&WorkerOptions::new(environment(folder.path()))).unwrap();
        Some(Self {
            address: running.endpoint().tcp().unwrap(),
            running: Some(running),
            _folder: folder,
        })
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stopper().stop();
            let ended = running.join();
            assert!(ended.is_ok() || std::thread::panicking(), "{ended:?}");
        }
    }
}
