//! Clients: their connections, on threads of their own, and their requests. What needs the guest itself is handed on to the
//! guest, which answers while it stands.

use super::{
    guest::{Command, Going, GuestThread, RUNS, split},
    protocol::{Client, Fault, Request, read},
    station::Station,
};
use serde_json::{Value, json};
use std::{
    io::{self, BufReader},
    net::{TcpListener, TcpStream},
    ops::ControlFlow,
    sync::Arc,
    thread,
    time::Duration,
};
use trine_engine::AttachedDebugger;

/// Maximum time for the first request of a connection. Until then nobody else can attach.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Maximum time for the first request of a connection that is refused.
const REFUSED_REQUEST: Duration = Duration::from_millis(500);
/// Pause after the system has refused a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Lets clients attach, one at a time, for ever.
pub(super) fn listen(station: &Arc<Station>, listener: &TcpListener) {
    for stream in listener.incoming() {
        // Without it we would ask again at once for what is not there.
        let Ok(stream) = stream else {
            thread::sleep(PAUSE);
            continue;
        };
        let Ok(client) = stream.try_clone().and_then(Client::new) else { continue };
        let client = Arc::new(client);
        if !station.attach(&client) {
            refuse(&client, stream);
            continue;
        }
        let served = station.clone();
        let thread = thread::Builder::new().name("lua-debugger-client".to_owned());
        if thread.spawn(move || Session::new(served, client).serve(stream)).is_err() {
            station.detach();
        }
    }
}

/// Tells a client that there is another one.
fn refuse(client: &Client, stream: TcpStream) {
    const MESSAGE: &str = "another debugger is attached to this process: disconnect it first";
    let limited = stream.set_read_timeout(Some(REFUSED_REQUEST));
    if limited.is_ok()
        && let Ok(Some(request)) = read(&mut BufReader::new(stream))
    {
        client.refuse(&request, MESSAGE);
    }
    client.event("output", json!({"category": "important", "output": format!("{MESSAGE}\n")}));
    client.event("terminated", Value::Null);
    client.close();
}

/// A client that is attached.
struct Session {
    station: Arc<Station>,
    client: Arc<Client>,
    /// Present from the first request on: from then on limits of time stand still.
    attached: Option<AttachedDebugger>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.station.detach();
        self.client.close();
    }
}

impl Session {
    fn new(station: Arc<Station>, client: Arc<Client>) -> Self {
        Self { station, client, attached: None }
    }

    /// Serves the client until one of both ends it.
    fn serve(mut self, stream: TcpStream) {
        if stream.set_read_timeout(Some(FIRST_REQUEST)).is_err() {
            return;
        }
        let mut input = BufReader::new(stream);
        loop {
            match read(&mut input) {
                Ok(Some(request)) => {
                    if self.attached.is_none() && self.greet(&request, &input).is_err() {
                        return;
                    }
                    if self.handle(request).is_break() {
                        return;
                    }
                }
                Err(Fault::Content(message)) => self.client.say(&message),
                Err(Fault::Framing(message)) => return self.client.say(&message),
                Ok(None) | Err(Fault::Lost) => return,
            }
        }
    }

    /// Notes that a debugger is attached, with its first request.
    fn greet(&mut self, request: &Request, input: &BufReader<TcpStream>) -> io::Result<()> {
        if request.command != "initialize" {
            return Ok(());
        }
        input.get_ref().set_read_timeout(None)?;
        self.attached = Some(AttachedDebugger::new());
        Ok(())
    }

    fn handle(&self, request: Request) -> ControlFlow<()> {
        let client = &self.client;
        if self.attached.is_none() {
            client.refuse(&request, "the first request has to be initialize");
            return ControlFlow::Continue(());
        }
        let outcome = match request.command.as_str() {
            "initialize" => {
                client.respond(&request, capabilities());
                client.event("initialized", Value::Null);
                return ControlFlow::Continue(());
            }
            "attach" | "launch" => Ok(Value::Null),
            "setBreakpoints" => self.station.set_breakpoints(&request.arguments),
            "setExceptionBreakpoints" => Ok(self.set_exception_breakpoints(&request)),
            "configurationDone" => {
                client.respond(&request, Value::Null);
                self.station.release();
                return ControlFlow::Continue(());
            }
            "threads" => Ok(self.threads()),
            "pause" => self.pause(&request),
            "continue" => return self.go(&request, Going::On),
            "next" => return self.go(&request, Going::Over),
            "stepIn" => return self.go(&request, Going::Into),
            "stepOut" => return self.go(&request, Going::Out),
            "disconnect" | "terminate" => {
                client.respond(&request, Value::Null);
                if request.command == "terminate" {
                    client.event("terminated", Value::Null);
                }
                return ControlFlow::Break(());
            }
            "stackTrace" | "scopes" | "variables" | "setVariable" | "evaluate"
            | "exceptionInfo" => {
                return self.ask(request);
            }
            unknown => Err(format!("Lua's debugger does not know the request {unknown:?}")),
        };
        client.answer(&request, outcome);
        ControlFlow::Continue(())
    }

    fn set_exception_breakpoints(&self, request: &Request) -> Value {
        let filters = request.arguments["filters"].as_array();
        let uncaught =
            filters.is_some_and(|filters| filters.iter().any(|filter| filter == UNCAUGHT));
        self.station.set_stops_at_errors(uncaught);
        Value::Null
    }

    fn threads(&self) -> Value {
        let guests = self.station.guests();
        let named = |guest: &Arc<GuestThread>| json!({"id": guest.id(), "name": format!("Lua {}", guest.id())});
        json!({"threads": guests.iter().map(named).collect::<Vec<_>>()})
    }

    fn pause(&self, request: &Request) -> Result<Value, String> {
        let guest = self.named(request)?;
        if !guest.stands() {
            guest.pause();
        }
        Ok(Value::Null)
    }

    /// Makes a guest go on. The answer precedes what happens then.
    fn go(&self, request: &Request, going: Going) -> ControlFlow<()> {
        match self.named(request) {
            Ok(guest) if guest.stands() => {
                self.client.respond(request, json!({"allThreadsContinued": false}));
                guest.command(Command::Go(going));
            }
            Ok(_) => self.client.refuse(request, "the guest runs already"),
            Err(message) => self.client.refuse(request, &message),
        }
        ControlFlow::Continue(())
    }

    /// Returns the guest that a request names by its thread.
    fn named(&self, request: &Request) -> Result<Arc<GuestThread>, String> {
        let id = request.integer("threadId");
        let guest = id.and_then(|id| u32::try_from(id).ok()).and_then(|id| self.station.guest(id));
        guest.ok_or_else(|| match id {
            Some(id) => format!("there is no thread {id}"),
            None => "the request needs a threadId".to_owned(),
        })
    }

    /// Hands a request on to the guest that it is about.
    fn ask(&self, request: Request) -> ControlFlow<()> {
        match self.asked(&request) {
            Err(message) => self.client.refuse(&request, &message),
            Ok(guest) => {
                if !guest.command(Command::Ask(self.client.clone(), request.clone())) {
                    self.client.refuse(&request, RUNS);
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Returns the guest that a request is about: by thread, by frame, by variables, or any that stands.
    fn asked(&self, request: &Request) -> Result<Arc<GuestThread>, String> {
        let reference =
            request.integer("frameId").or_else(|| request.integer("variablesReference"));
        match (request.command.as_str(), reference) {
            ("stackTrace" | "exceptionInfo", _) => self.named(request),
            (_, Some(reference)) => {
                let guest = split(reference).and_then(|(id, _)| self.station.guest(id));
                guest.ok_or_else(|| format!("nothing has the reference {reference}"))
            }
            ("evaluate", None) => {
                let standing = self.station.guests().into_iter().find(|guest| guest.stands());
                standing.ok_or_else(|| RUNS.to_owned())
            }
            (command, None) => Err(format!("the request {command} lacks its reference")),
        }
    }
}

/// The filter for errors that nobody catches.
const UNCAUGHT: &str = "uncaught";

fn capabilities() -> Value {
    json!({
        "supportsConfigurationDoneRequest": true,
        "supportsConditionalBreakpoints": true,
        "supportsLogPoints": true,
        "supportsEvaluateForHovers": true,
        "supportsExceptionInfoRequest": true,
        "supportsSetVariable": true,
        "supportsDelayedStackTraceLoading": true,
        "exceptionBreakpointFilters": [{
            "filter": UNCAUGHT,
            "label": "Uncaught Errors",
            "description": "Stops where an error is raised that no pcall, xpcall or coroutine.resume catches.",
            "default": true,
        }],
    })
}
