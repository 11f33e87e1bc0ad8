//! The row of servers, one at a time, each in a process of its own.

use super::{
    ReloadFlags, Watched, browser,
    keys::Keys,
    lines::{self, Lines},
    relevance::Relevance,
    watch::{self, Noticed},
};
use crate::{
    cli::{Usage, print, print_beside, print_raw},
    http::{Generation, GenerationChannel},
    signals::Signals,
    worker::spawn_beside,
};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill},
        socket::{getsockopt, sockopt::PeerCredentials},
    },
    unistd::Pid,
};
use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _, stdin},
    mem,
    net::TcpListener,
    os::{
        fd::{AsFd, OwnedFd},
        linux::net::SocketAddrExt,
        unix::{
            net::{SocketAddr as UnixAddress, UnixListener, UnixStream},
            process::CommandExt,
        },
    },
    path::PathBuf,
    process::{self, Child, Command, ExitStatus, Stdio},
    str::FromStr,
    sync::mpsc::{Receiver, Sender, channel as one_way},
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time};
use uuid::Uuid;

/// The time that a generation has to be ready when further changes have come: after it, it is not waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// The most generations that may still have something in flight; the oldest is ended for one more.
const MOST_LEAVING: usize = 4;
/// Number of letters and digits in a token of the console's.
const TOKEN_LENGTH: usize = 64;
/// What a terminal gives for Ctrl-D.
const END_OF_INPUT: u8 = 4;
/// The least time between the starts of generations that end by themselves.
const RESTART_INTERVAL: Duration = Duration::from_secs(1);
/// The time for which a generation waits until the one before accepts nothing any more: that holds its threads in guest code
/// where it takes longer, and does not accept for that.
const TURN: Duration = Duration::from_millis(300);
/// The time between two looks at whether a process that has not taken its place still runs, in milliseconds.
const LOOK_INTERVAL: u8 = 50;
/// The time, beyond their grace, for all to end.
const AFTER_GRACE: Duration = Duration::from_secs(2);

/// The place of a generation, as its command line names it: the channel to whoever has started it, its number, and what
/// keeps it from serving, if that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Place {
    channel: String,
    pub(in super::super) number: u64,
    pub(in super::super) fault: Option<String>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "this flag is for servers that --reload starts".to_owned();
        let mut parts = text.splitn(3, '/');
        let (Some(channel), Some(number)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let number = number.parse().map_err(|_| wrong())?;
        Ok(Self { channel: channel.to_owned(), number, fault: parts.next().map(str::to_owned) })
    }
}

impl Place {
    fn flag(&self) -> OsString {
        let fault = self.fault.as_ref().map(|fault| format!("/{fault}")).unwrap_or_default();
        format!("--generation={}/{}{fault}", self.channel, self.number).into()
    }

    /// Takes the place: returns the port and the channel. Standard input, through which the port came, is empty from then on.
    ///
    /// # Errors
    /// When nobody has started this process to take it.
    pub(in super::super) fn take(&self) -> io::Result<Taken> {
        let port = stdin().as_fd().try_clone_to_owned()?;
        nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
        let address = UnixAddress::from_abstract_name(&self.channel)?;
        let mut channel = UnixStream::connect_addr(&address)?;
        let mut token = [0; TOKEN_LENGTH];
        channel.read_exact(&mut token)?;
        let token = String::from_utf8_lossy(&token).into_owned();
        Ok(Taken { port: TcpListener::from(port), generation: Generation::new(channel), token })
    }
}

/// A place that was taken.
pub(in super::super) struct Taken {
    pub(in super::super) port: TcpListener,
    pub(in super::super) generation: Generation,
    /// The token of the console's page, which all in the row have.
    pub(in super::super) token: String,
}

/// What happens to a supervisor.
#[derive(Debug)]
enum Event {
    Noticed(Noticed),
    Key(u8),
    /// A generation has taken its place, and can be asked to leave.
    Joined(u64, GenerationChannel),
    Ready(u64),
    Ended(u64, Option<ExitStatus>),
}

/// Serves on a port by one generation after the other, until a signal comes or somebody presses `q`. `page` is the address of
/// the console page, where there is one; `grace` the time for which a generation may have something in flight at the end.
///
/// # Errors
/// A port, a folder or files of variables that cannot be used.
pub(in super::super) fn supervise(
    flags: &ReloadFlags,
    watched: &Watched,
    port: TcpListener,
    page: Option<String>,
    grace: Duration,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    let root = watched.root();
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let mut named: Vec<PathBuf> = flags.watch.iter().map(absolute).collect();
    if let Some(missing) = named.iter().find(|path| !path.exists()) {
        return Err(Usage(format!(
            "--watch {}: there is no such file or folder",
            missing.display()
        ))
        .into());
    }
    named.extend(flags.environment.files(&root));
    let relevance = Relevance::new(root.clone(), watched.extensions.clone(), named, &flags.ignore)?;
    let (sender, events) = mpsc::unbounded_channel();
    let mut row = Row {
        port,
        flags: flags.clone(),
        current: watched.variables.clone(),
        token: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
        root,
        lines: Lines::new(),
        page,
        events: sender.clone(),
        present: None,
        before: None,
        waiting: None,
        leaving: VecDeque::new(),
        next: 1,
        grace,
    };
    // The first one may start while files are looked at.
    row.start("", None)?;
    let tell = sender.clone();
    // Nobody reads any more where the process ends.
    let noticed = move |noticed| drop(tell.send(Event::Noticed(noticed)));
    watch::start(relevance, watched.beside.clone(), flags.poll, noticed)?;
    let keys = Keys::read(move |key| drop(sender.send(Event::Key(key))));
    let outcome = runtime.block_on(row.run(events, &mut signals));
    drop(keys);
    outcome
}

/// A generation, as its supervisor knows it.
struct Member {
    number: u64,
    id: Pid,
    channel: Option<GenerationChannel>,
    begun: Instant,
    is_ready: bool,
    /// What it was started for.
    why: String,
    /// Whether it only says what keeps it from serving.
    is_faulty: bool,
    /// The channel that ends when it accepts nothing any more.
    left: Receiver<()>,
}

impl Member {
    /// Asks it to leave its place, if it has taken it; else it has answered nobody, and ends at once.
    fn leave(&mut self) {
        match &mut self.channel {
            Some(channel) => channel.ask_to_leave(),
            None => self.signal(Signal::SIGKILL),
        }
    }

    fn signal(&self, signal: Signal) {
        // One that has ended needs no signal.
        let _ = kill(self.id, signal);
    }
}

/// The row of generations.
struct Row {
    port: TcpListener,
    flags: ReloadFlags,
    /// Variables with which nothing old of a file is taken for current, unless the user sets them.
    current: Vec<(&'static str, &'static str)>,
    root: PathBuf,
    /// The token of the console's page, which goes on when the server is replaced.
    token: String,
    lines: Lines,
    page: Option<String>,
    events: mpsc::UnboundedSender<Event>,
    present: Option<Member>,
    /// What tells that the one before accepts nothing any more.
    before: Option<Receiver<()>>,
    /// What has changed while the present one is not ready.
    waiting: Option<Vec<PathBuf>>,
    leaving: VecDeque<Member>,
    next: u64,
    grace: Duration,
}

impl Row {
    async fn run(
        mut self,
        mut events: mpsc::UnboundedReceiver<Event>,
        signals: &mut Signals,
    ) -> anyhow::Result<()> {
        let outcome = loop {
            let patience = self.patience();
            let given_up = time::sleep_until(patience.unwrap_or_else(Instant::now).into());
            let taken = tokio::select! {
                _ = signals.next() => break Ok(()),
                () = given_up, if patience.is_some() => self.reload_for_what_waits(),
                event = events.recv() => match event {
                    Some(Event::Key(b'q' | END_OF_INPUT)) | None => break Ok(()),
                    Some(event) => self.take(event),
                }
            };
            if taken.is_err() {
                break taken;
            }
        };
        self.end(events, signals).await;
        outcome
    }

    /// Returns the time at which a generation that is not ready is given up for the next one.
    fn patience(&self) -> Option<Instant> {
        let present = self.present.as_ref()?;
        self.waiting.as_ref().map(|_| present.begun + PATIENCE)
    }

    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Noticed(Noticed::Problem(problem)) => {
                self.complain(&format!("warning: {problem}"));
                Ok(())
            }
            Event::Noticed(Noticed::Changed(files)) => {
                let is_starting = self.present.as_ref().is_some_and(|present| !present.is_ready);
                self.waiting.get_or_insert_default().extend(files);
                if is_starting { Ok(()) } else { self.reload_for_what_waits() }
            }
            Event::Key(key) => self.press(key),
            Event::Joined(number, channel) => {
                self.join(number, channel);
                Ok(())
            }
            Event::Ready(number) => self.greet(number),
            Event::Ended(number, status) => self.miss(number, status),
        }
    }

    fn press(&mut self, key: u8) -> anyhow::Result<()> {
        match key {
            b'r' => self.reload("as asked")?,
            b'c' => print_raw(b"\x1b[H\x1b[2J\x1b[3J"),
            b'o' => match &self.page {
                Some(page) if browser::open(page) => {}
                Some(page) => {
                    print(format!("open {page}: there is no program here that opens pages"));
                }
                None => print("there is no page to open: --console serves one"),
            },
            b'h' | b'?' => print("r reloads, o opens the page, c clears the screen, q quits"),
            _ => {}
        }
        Ok(())
    }

    fn complain(&self, problem: &str) {
        print_beside(&format!("{}\n", self.lines.problem(problem)));
    }

    fn reload_for_what_waits(&mut self) -> anyhow::Result<()> {
        let mut files = self.waiting.take().unwrap_or_default();
        files.sort();
        files.dedup();
        self.reload(&lines::changed(&files, &self.root))
    }

    /// Has the next generation take the place of the present one.
    fn reload(&mut self, why: &str) -> anyhow::Result<()> {
        self.waiting = None;
        if let Some(mut present) = self.present.take() {
            present.leave();
            self.before = Some(mem::replace(&mut present.left, one_way().1));
            self.leaving.push_back(present);
        }
        if self.leaving.len() > MOST_LEAVING
            && let Some(oldest) = self.leaving.front()
        {
            oldest.signal(Signal::SIGKILL);
        }
        self.start(why, None)
    }

    fn start(&mut self, why: &str, fault: Option<String>) -> anyhow::Result<()> {
        let begun = Instant::now();
        let number = self.next;
        self.next += 1;
        let is_set = |name: &str| env::var_os(name).is_some();
        let (variables, fault) = match self.flags.environment.variables(&self.root, is_set) {
            Ok(variables) => (variables, fault),
            Err(why) if number == 1 => return Err(why.into()),
            Err(why) => {
                self.complain(&format!("error: {why}"));
                (Vec::new(), Some(why.to_string()))
            }
        };
        let is_faulty = fault.is_some();
        let channel = format!("trine-{}-{}", process::id(), Uuid::new_v4().simple());
        let door = UnixListener::bind_addr(&UnixAddress::from_abstract_name(&channel)?)?;
        let mut arguments = env::args_os();
        // The file may be replaced while it runs; this leads to the one that runs.
        let child = Command::new("/proc/self/exe")
            .arg0(arguments.next().unwrap_or_else(|| "trine".into()))
            .args(arguments)
            .arg(Place { channel, number, fault }.flag())
            .envs(self.current.iter().copied().filter(|(name, _)| !is_set(name)))
            .envs(variables)
            .stdin(Stdio::from(OwnedFd::from(self.port.try_clone()?)))
            // Signals of the terminal are for this process, which asks the others to end.
            .process_group(0)
            .spawn()?;
        let id = Pid::from_raw(i32::try_from(child.id())?);
        let (events, token) = (self.events.clone(), self.token.clone());
        let (leaves, left) = one_way();
        let before = self.before.take();
        let follows = move || {
            let welcome = || {
                if let Some(before) = &before {
                    // It says so, or ends.
                    let _ = before.recv_timeout(TURN);
                }
                token
            };
            follow(number, child, &door, welcome, leaves, &events);
        };
        spawn_beside("trine-generation", follows)?;
        let why = why.to_owned();
        self.present = Some(Member {
            number,
            id,
            channel: None,
            begun,
            is_ready: false,
            why,
            is_faulty,
            left,
        });
        Ok(())
    }

    fn join(&mut self, number: u64, mut channel: GenerationChannel) {
        match self.present.as_mut().filter(|present| present.number == number) {
            Some(present) => present.channel = Some(channel),
            // It was to end before it had taken its place.
            None => channel.ask_to_leave(),
        }
    }

    fn greet(&mut self, number: u64) -> anyhow::Result<()> {
        let Some(present) = self.present.as_mut().filter(|present| present.number == number) else {
            return Ok(());
        };
        present.is_ready = true;
        if number > 1 && !present.is_faulty {
            print(self.lines.reloaded(present.begun.elapsed(), &present.why));
        }
        if self.waiting.is_some() { self.reload_for_what_waits() } else { Ok(()) }
    }

    /// Notes the end of a generation. If nobody has asked for it, another one takes its place.
    fn miss(&mut self, number: u64, status: Option<ExitStatus>) -> anyhow::Result<()> {
        self.leaving.retain(|member| member.number != number);
        let Some(ended) = self.present.take_if(|present| present.number == number) else {
            return Ok(());
        };
        let how = lines::ended(status);
        if ended.is_faulty {
            anyhow::bail!("{how}, though nothing was served");
        }
        if ended.is_ready && ended.begun.elapsed() > RESTART_INTERVAL {
            self.complain(&format!("error: {how}; it is started again"));
            return self.start("after its end", None);
        }
        let fault =
            format!("{how} when it was hardly started; it is started again when a file changes");
        self.complain(&format!("error: {fault}"));
        self.start("after its end", Some(fault))
    }

    /// Ends all generations: in good order, unless a second signal comes.
    async fn end(mut self, mut events: mpsc::UnboundedReceiver<Event>, signals: &mut Signals) {
        self.leaving.extend(self.present.take());
        let all = |row: &Self, signal| row.leaving.iter().for_each(|member| member.signal(signal));
        all(&self, Signal::SIGTERM);
        let until = time::Instant::now() + self.grace + AFTER_GRACE;
        while !self.leaving.is_empty() {
            tokio::select! {
                _ = signals.next() => all(&self, Signal::SIGKILL),
                () = time::sleep_until(until) => {
                    all(&self, Signal::SIGKILL);
                    return;
                }
                event = events.recv() => match event {
                    Some(Event::Ended(number, _)) => {
                        self.leaving.retain(|member| member.number != number);
                    }
                    Some(_) => {}
                    None => return,
                }
            }
        }
    }
}

/// Waits on a process until it has taken its place, is ready, and has ended.
fn follow(
    number: u64,
    mut child: Child,
    door: &UnixListener,
    welcome: impl FnOnce() -> String,
    leaves: Sender<()>,
    events: &mpsc::UnboundedSender<Event>,
) {
    // Nobody reads any more where the process ends.
    let tell = |event| drop(events.send(event));
    if let Some(mut channel) = joined(&mut child, door, welcome) {
        if let Ok(other) = channel.try_clone() {
            tell(Event::Joined(number, other));
        }
        if channel.wait_until_ready().unwrap_or(false) {
            tell(Event::Ready(number));
            channel.wait_until_left();
        }
    }
    drop(leaves);
    tell(Event::Ended(number, child.wait().ok()));
}

/// Waits until a process has taken its place; `None` if it ends before.
fn joined(
    child: &mut Child,
    door: &UnixListener,
    welcome: impl FnOnce() -> String,
) -> Option<GenerationChannel> {
    loop {
        let mut waits = [PollFd::new(door.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waits, PollTimeout::from(LOOK_INTERVAL)).is_ok_and(|count| count > 0) {
            let (mut channel, _) = door.accept().ok()?;
            // Anybody on this machine can find the name of the socket.
            let peer = getsockopt(&channel, PeerCredentials).ok()?;
            if u32::try_from(peer.pid()) == Ok(child.id()) {
                channel.write_all(welcome().as_bytes()).ok()?;
                return Some(GenerationChannel::new(channel));
            }
        }
        if !matches!(child.try_wait(), Ok(None)) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for fault in [None, Some("a/b: c=d\n".to_owned())] {
            let place = Place { channel: "trine-1-ab".to_owned(), number: 7, fault };
            let flag = place.flag().into_string().unwrap();
            let (name, text) = flag.split_once('=').unwrap();
            assert_eq!((name, text.parse()), ("--generation", Ok(place)));
        }
        assert!("x".parse::<Place>().unwrap_err().contains("--reload"));
        assert!("x/y".parse::<Place>().is_err());
    }

    #[test]
    fn nobody_is_there_to_give_a_place() {
        let place = Place { channel: "trine-nobody".to_owned(), number: 1, fault: None };
        let address = UnixAddress::from_abstract_name(&place.channel).unwrap();
        assert!(UnixStream::connect_addr(&address).is_err());
    }
}
