//! Web applications, one and the same in each interface, behind both front doors.

mod hooks;
mod lambda;
mod requests;
mod settings;
mod sockets;

use crate::support::Folder;

/// An application in one interface.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Application {
    pub(crate) interface: &'static str,
    pub(crate) file: &'static str,
    /// The export as a server's command line names it.
    pub(crate) named: &'static str,
    /// The handler string.
    pub(crate) handler: &'static str,
    pub(crate) source: &'static str,
    /// What it writes to the header `x-kind`.
    pub(crate) kind: &'static str,
}

pub(crate) const APPLICATIONS: [Application; 6] = [
    Application {
        interface: "asgi",
        file: "main.py",
        named: "main:app",
        handler: "main.app",
        source: include_str!("applications/asgi.py"),
        kind: "asgi",
    },
    Application {
        interface: "wsgi",
        file: "main.py",
        named: "main:app",
        handler: "main.app",
        source: include_str!("applications/wsgi.py"),
        kind: "wsgi",
    },
    Application {
        interface: "fetch",
        file: "main.mjs",
        named: "main:default",
        handler: "main.default",
        source: include_str!("applications/fetch.mjs"),
        kind: "fetch",
    },
    Application {
        interface: "node",
        file: "main.mjs",
        named: "main:app",
        handler: "main.app",
        source: include_str!("applications/node.mjs"),
        kind: "node",
    },
    Application {
        interface: "fetch",
        file: "main.lua",
        named: "main:fetch",
        handler: "main.fetch",
        source: include_str!("applications/fetch.lua"),
        kind: "lua",
    },
    Application {
        interface: "wsapi",
        file: "main.lua",
        named: "main:run",
        handler: "main.run",
        source: include_str!("applications/wsapi.lua"),
        kind: "wsapi",
    },
];

impl Application {
    /// Makes a folder with nothing but this application.
    pub(crate) fn folder(&self) -> Folder {
        Folder::new(&[(self.file, self.source)])
    }

    /// Returns the one in which a server takes whole messages of WebSockets.
    pub(crate) fn with_sockets() -> Self {
        APPLICATIONS[0]
    }
}
