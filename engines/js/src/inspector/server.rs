//! The places where the process listens for debuggers, and the targets that each of them has.

use super::{http, sockets::sockets, target::Target};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use trine_engine::{
    DebugListener, Error, Level, LogFormat, LogSettings, Result, Stream, json_line,
};
use uuid::Uuid;

/// The servers of this process, by the addresses that were asked for. They last as long as it does.
static SERVERS: Mutex<Vec<(SocketAddr, Arc<Server>)>> = Mutex::new(Vec::new());

/// The pause after a connection that the system could not give, for lack of something that others give back.
const PAUSE: Duration = Duration::from_millis(50);

/// A place where the process listens for debuggers.
pub(crate) struct Server {
    pub(super) address: SocketAddr,
    targets: Mutex<Targets>,
}

#[derive(Default)]
struct Targets {
    alive: Vec<Arc<Target>>,
    /// The ids of targets that have ended, for those that take their places: what was said of them stays true.
    spare: Vec<Uuid>,
    /// Whether a target has been there for which guests wait.
    has_waited: bool,
}

/// A target's place on its server, given up on drop.
pub(crate) struct Registered {
    server: Option<Arc<Server>>,
    target: Arc<Target>,
}

/// Listens for debuggers, unless it is done there already.
///
/// # Errors
/// When the address cannot be had.
pub(crate) fn listen(listener: DebugListener) -> Result<Arc<Server>> {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = servers.iter().find(|(asked, _)| *asked == listener.address) {
        return Ok(known.clone());
    }
    let server = bind(listener.address).map_err(|error| {
        let message = format!("cannot listen for debuggers on {}: {error}", listener.address);
        Error::internal(message)
    })?;
    servers.push((listener.address, server.clone()));
    Ok(server)
}

fn bind(address: SocketAddr) -> io::Result<Arc<Server>> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let server = Arc::new(Server { address, targets: Mutex::default() });
    let sockets = sockets()?;
    let listener = {
        let _inside = sockets.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let serving = server.clone();
    sockets.spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(http::serve(stream, http::Place::Server(serving.clone())));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    });
    Ok(server)
}

impl Server {
    fn locked(&self) -> MutexGuard<'_, Targets> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the targets that can be attached to.
    pub(super) fn targets(&self) -> Vec<Arc<Target>> {
        self.locked().alive.clone()
    }

    /// Adds a target, and says so where its address is new. The guests of the first one wait, if those of any `may_wait`.
    pub(crate) fn register(
        self: &Arc<Self>,
        may_wait: bool,
        log: &LogSettings,
    ) -> (Arc<Target>, Registered) {
        let (target, is_new) = {
            let mut targets = self.locked();
            let waits = may_wait && !targets.has_waited;
            targets.has_waited |= waits;
            let known = (!targets.spare.is_empty()).then(|| targets.spare.remove(0));
            let target = Target::new(known.unwrap_or_else(Uuid::new_v4), waits);
            targets.alive.push(target.clone());
            (target, known.is_none())
        };
        if is_new {
            self.announce(&target, log);
        }
        let registered = Registered { server: Some(self.clone()), target: target.clone() };
        (target, registered)
    }

    /// Says where debuggers find a target, in Node's words: tools look for them.
    fn announce(&self, target: &Target, log: &LogSettings) {
        let text = format!("Debugger listening on ws://{}/{}", self.address, target.id);
        let line = match log.format {
            LogFormat::Text => text + "\n",
            LogFormat::Json => json_line(Level::Info, &serde_json::json!({"message": text})),
        };
        log.sink.write(Stream::Stderr, line.as_bytes());
    }
}

impl Registered {
    /// Makes the registration of a target that no server has.
    pub(crate) fn nowhere(target: Arc<Target>) -> Self {
        Self { server: None, target }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.target.end();
        if let Some(server) = &self.server {
            let mut targets = server.locked();
            targets.alive.retain(|target| !Arc::ptr_eq(target, &self.target));
            targets.spare.push(self.target.id);
        }
    }
}
