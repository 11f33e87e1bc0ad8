//! The row of servers, one at a time, each in a process of its own.

use super::{
    ReloadFlags, Watched, browser,
    keys::Keys,
    lines::{self, Lines},
    member::{Before, Event, Member, follow},
    pace::Pace,
    place::Place,
    relevance::Relevance,
    watch::{self, Noticed},
};
use crate::{
    cli::{Usage, print, print_beside, print_raw},
    http::GenerationChannel,
    signals::Signals,
    worker::spawn_beside,
};
use nix::{sys::signal::Signal, unistd::Pid};
use std::{
    collections::{BTreeMap, VecDeque},
    env, mem,
    net::TcpListener,
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt,
        unix::{
            net::{SocketAddr as UnixAddress, UnixListener},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{self, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel as one_way,
    },
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time};
use uuid::Uuid;

/// The time that a generation has to be ready when further changes have come: after it, it is not waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// The time after which it is told that loading takes long.
const SLOW: Duration = Duration::from_secs(2);
/// The most generations that may still have something in flight; the oldest is ended for one more.
const MOST_LEAVING: usize = 4;
/// What a terminal gives for Ctrl-D.
const END_OF_INPUT: u8 = 4;
/// The time, beyond their grace, for all to end.
const AFTER_GRACE: Duration = Duration::from_secs(2);

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
        has_begun: Arc::default(),
        leaving: VecDeque::new(),
        pace: Pace::default(),
        next: 1,
        grace,
        here: env::current_dir().ok(),
        is_debugged: watched.is_debugged,
    };
    // The first one may start while files are looked at.
    row.start("", None)?;
    let tell = sender.clone();
    // Nobody reads any more where the process ends.
    let noticed = move |noticed| drop(tell.send(Event::Noticed(noticed)));
    let has_begun = row.has_begun.clone();
    watch::start(relevance, watched.beside.clone(), flags.poll, has_begun, noticed)?;
    let keys = Keys::read(move |key| drop(sender.send(Event::Key(key))));
    let outcome = runtime.block_on(row.run(events, &mut signals));
    drop(keys);
    outcome
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
    before: Option<Before>,
    /// What has changed while the present one is not ready.
    waiting: Option<Vec<PathBuf>>,
    /// Whether a change has begun that was not noticed yet.
    has_begun: Arc<AtomicBool>,
    leaving: VecDeque<Member>,
    pace: Pace,
    next: u64,
    grace: Duration,
    /// The folder that the command was started in, which may be another one by the same name meanwhile.
    here: Option<PathBuf>,
    /// Whether debuggers attach to generations at an address that two cannot listen on.
    is_debugged: bool,
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
            let slow = self.slow();
            let is_slow = time::sleep_until(slow.unwrap_or_else(Instant::now).into());
            let taken = tokio::select! {
                _ = signals.next() => break Ok(()),
                () = given_up, if patience.is_some() => self.reload_for_what_waits(),
                () = is_slow, if slow.is_some() => {
                    self.tell_slow();
                    Ok(())
                }
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

    /// Returns the time at which the present generation makes room for the next one, where files wait for that.
    fn patience(&self) -> Option<Instant> {
        self.waiting.as_ref()?;
        let present = self.present.as_ref()?;
        match present.has_loaded {
            true => Some(self.pace.next(Instant::now()).unwrap_or_else(Instant::now)),
            false => Some(present.begun + PATIENCE),
        }
    }

    /// Returns the time at which it is told that the present generation loads for long.
    fn slow(&self) -> Option<Instant> {
        let present = self.present.as_ref()?;
        (!present.has_loaded && !present.is_slow_told).then(|| present.begun + SLOW)
    }

    /// Tells, once, that reloads are held up because there have been so many.
    fn tell_pause(&mut self) {
        if self.pace.is_to_be_told() {
            let changed = lines::changed(self.waiting.as_deref().unwrap_or_default(), &self.root);
            self.complain(&format!(
                "warning: {changed} again and again: leave out what functions write with --ignore; until then there is a \
                 second between two reloads"
            ));
        }
    }

    fn tell_slow(&mut self) {
        if let Some(present) = &mut self.present {
            present.is_slow_told = true;
        }
        self.complain(&format!(
            "functions have been loading for {} s, and requests wait: does code outside of a handler never end?",
            SLOW.as_secs()
        ));
    }

    fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Noticed(Noticed::Problem(problem)) => {
                self.complain(&format!("warning: {problem}"));
                Ok(())
            }
            Event::Noticed(Noticed::Changed(files)) => {
                self.has_begun.store(false, Ordering::Release);
                let is_starting = self.present.as_ref().is_some_and(|present| !present.has_loaded);
                self.waiting.get_or_insert_default().extend(files);
                if is_starting {
                    return Ok(());
                }
                if self.pace.next(Instant::now()).is_none() {
                    return self.reload_for_what_waits();
                }
                self.tell_pause();
                Ok(())
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
        self.pace.reloads(Instant::now());
        if let Some(mut present) = self.present.take() {
            present.leave();
            let left = mem::replace(&mut present.left, one_way().1);
            let ended = mem::replace(&mut present.ended, one_way().1);
            self.before =
                Some(Before { left, ended: self.is_debugged.then_some((present.id, ended)) });
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
                (BTreeMap::new(), Some(why.to_string()))
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
            .current_dir(
                self.here.as_deref().filter(|here| here.is_dir()).unwrap_or(Path::new(".")),
            )
            .envs(self.current.iter().copied().filter(|(name, _)| !is_set(name)))
            .envs(variables)
            .stdin(Stdio::from(OwnedFd::from(self.port.try_clone()?)))
            // Signals of the terminal are for this process, which asks the others to end.
            .process_group(0)
            .spawn()?;
        let id = Pid::from_raw(i32::try_from(child.id())?);
        let (events, token) = (self.events.clone(), self.token.clone());
        let (leaves, left) = one_way();
        let (ends, ended) = one_way::<()>();
        let before = self.before.take();
        let follows = move || {
            let welcome = || {
                if let Some(before) = &before {
                    before.wait();
                }
                token
            };
            follow(number, child, &door, welcome, leaves, &events);
            drop(ends);
        };
        spawn_beside("trine-generation", follows)?;
        let why = why.to_owned();
        self.present = Some(Member {
            number,
            id,
            channel: None,
            begun,
            has_loaded: false,
            is_ready: false,
            why,
            is_faulty,
            left,
            ended,
            is_slow_told: false,
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
        present.has_loaded = true;
        // What changes while its workers load they may have seen differently: then the next one is let in, unless there would
        // be no end to that.
        let is_held_up = self.pace.next(Instant::now()).is_some();
        if self.waiting.is_some() && !is_held_up {
            return self.reload_for_what_waits();
        }
        if self.has_begun.load(Ordering::Acquire) && !is_held_up {
            return Ok(());
        }
        present.is_ready = true;
        if let Some(channel) = &mut present.channel {
            channel.open();
        }
        if number > 1 && !present.is_faulty {
            print(self.lines.reloaded(present.begun.elapsed(), &present.why));
        }
        if self.waiting.is_some() {
            self.tell_pause();
        }
        Ok(())
    }

    /// Notes the end of a generation. If nobody has asked for it, another one takes its place.
    fn miss(&mut self, number: u64, status: Option<ExitStatus>) -> anyhow::Result<()> {
        self.leaving.retain(|member| member.number != number);
        let Some(ended) = self.present.take_if(|present| present.number == number) else {
            return Ok(());
        };
        let how = lines::ended(status);
        let may_start = self.pace.ends(Instant::now());
        if ended.is_faulty && !may_start {
            anyhow::bail!("{how}, though nothing was served");
        }
        if ended.is_ready && may_start && !ended.is_faulty {
            self.complain(&format!("error: {how}; it is started again"));
            return self.start("after its end", None);
        }
        let fault = format!(
            "{how} when it was hardly started, or too often; it is started again when a file changes"
        );
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
