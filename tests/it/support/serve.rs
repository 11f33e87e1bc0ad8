//! The binary as an HTTP server.

use super::{Connection, Folder, Process, Reply, eventually, trine};
use std::{net::SocketAddr, process::Command};

/// A running `trine serve`.
pub(crate) struct Served {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// Starts `trine serve` in the task root of `folder` with these arguments, on a free port.
    #[track_caller]
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        Self::of(trine(folder, &[&["serve", "--port", "0"], arguments].concat()))
    }

    /// Starts a command that is a `trine serve`.
    #[track_caller]
    pub(crate) fn of(command: Command) -> Self {
        Self::ready(Process::start(command))
    }

    /// Waits until a process that is a `trine serve` says where it listens.
    #[track_caller]
    pub(crate) fn ready(process: Process) -> Self {
        let address = eventually("the server says where it listens", || {
            let ended = process.status().filter(|_| !process.stdout().contains("://"));
            assert!(ended.is_none(), "{ended:?}\n{process:?}");
            let text = process.stdout();
            let (_, rest) = text.split_once(" on http")?;
            let rest = rest.trim_start_matches('s').strip_prefix("://")?;
            let (address, _) = rest.split_once(' ')?;
            address.parse().ok()
        });
        Self { process, address }
    }

    /// Sends one request on a new connection.
    #[track_caller]
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        Connection::open(self.address).exchange(method, path, headers, body)
    }

    /// Sends a `GET` on a new connection.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], b"")
    }

    /// Sends a `POST` of JSON on a new connection.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, json: &str) -> Reply {
        self.request("POST", path, &[("content-type", "application/json")], json.as_bytes())
    }
}
