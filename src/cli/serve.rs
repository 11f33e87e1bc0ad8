//! `trine serve`: functions on an HTTP port.

use super::{
    Usage, address,
    banner::{Reached, banner, base_url, broken},
    debug_flags::DebugFlags,
    dev::{self, Place, ReloadFlags, Watched},
    log_flags::LogFlags,
    operation::OperationFlags,
    otlp::OtlpFlag,
    permission_flags::PermissionFlags,
    print_beside, scaleway, settings,
    sub_runtime::Program,
    target,
    template_flags::TemplateFlags,
};
use crate::{
    config::{self, CountForm, Settings},
    engines::Registry,
    http::{
        ConsoleOptions, Ended, ErrorDetail, EventFormat, Listen, MOST_CONCURRENT, MOST_THREADS,
        ServeOptions, Server, Site, Supervisor,
    },
    telemetry::{Log, ProcessSink},
    worker::Isolation,
};
use clap::Args;
use std::{
    env,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// The port where neither flag nor variable names one.
const DEFAULT_PORT: u16 = 9000;

/// The longest time for what is left of traces when everything else has ended.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Valid numbers of threads of a server.
const WORKERS: CountForm = CountForm { least: 1, most: 1024 };
/// Valid numbers of threads of a function.
const THREADS: CountForm = CountForm { least: 1, most: MOST_THREADS };
/// Valid numbers of a function's invocations in flight.
const CONCURRENCY: CountForm = CountForm { least: 1, most: MOST_CONCURRENT };

/// Serve functions over HTTP.
#[derive(Debug, Clone, Args)]
pub(super) struct Serve {
    /// A folder of functions, a file, or a file with an export (app.py:get) [default: the handler that SCW_HANDLER_PATH
    /// names, else the working directory]
    path: Option<String>,
    #[command(flatten)]
    template: TemplateFlags,
    /// Address to listen on; 0.0.0.0 for all [default: 127.0.0.1; 0.0.0.0 with SCW_HANDLER_PATH]
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on; 0 takes any free one [default: the variable PORT, else 9000; 8080 with SCW_HANDLER_PATH]
    #[arg(long, short, value_name = "PORT", allow_negative_numbers = true, value_parser = address::port)]
    port: Option<u16>,
    /// Threads that accept requests, each with interpreters of its own; Python runs on the main thread, whichever of
    /// them accepts [default: one per core]
    #[arg(long, short, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| WORKERS.parse(text))]
    workers: Option<u64>,
    /// Threads for `def` handlers in Python, which share modules; with one they run one at a time, on the main thread
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true, value_parser = |text: &str| THREADS.parse(text))]
    threads: u64,
    /// Let other servers started with this flag listen on the same port, each taking its part of the connections
    #[arg(long)]
    share_port: bool,
    /// Invocations in flight per function and worker, where the language can interleave them [default: 64, no limit for web
    /// applications]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| CONCURRENCY.parse(text))]
    concurrency: Option<u64>,
    /// Time that an invocation may take: 30s, 500ms, 5m; a number alone is seconds [default: no limit]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    timeout: Option<Duration>,
    #[command(flatten)]
    middleware_flag: target::MiddlewareFlag,
    /// Memory that each interpreter may take: 512MiB, 1GB; a number alone is MiB [default: the variable TRINE_MEMORY,
    /// else its share of the container's limit, if that has one]
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::MEMORY.parse(text))]
    memory: Option<u64>,
    /// Replace an interpreter after this many invocations
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| config::INVOCATIONS.parse(text))]
    max_invocations: Option<u64>,
    /// Replace an interpreter when its heap has grown beyond this size; a number alone is MiB
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::HEAP.parse(text))]
    max_heap: Option<u64>,
    /// What invocations share: a warm interpreter, or nothing (a fresh one for each) [default: shared]
    #[arg(long, value_name = "shared|fresh")]
    isolation: Option<Isolation>,
    /// Time that requests in flight may take to finish after a signal to stop; a number alone is seconds
    #[arg(long, value_name = "TIME", default_value = "10s", allow_negative_numbers = true, value_parser = |text: &str| config::GRACE.parse(text))]
    grace: Duration,
    /// Largest request body: 64KiB, 10MB; a number alone is bytes [default: 6MiB, none for web applications]
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::BODY.parse(text))]
    body_limit: Option<u64>,
    /// Form of events and results: that of the service for which functions were written (aws-v2, aws-v1, alb,
    /// alb-multi-value, function-url, scaleway, cloudevents), or raw: the body is the event [default: aws-v2, or as
    /// trine.toml says; scaleway with SCW_HANDLER_PATH]
    #[arg(long, value_name = "FORM")]
    event_format: Option<EventFormat>,
    /// Behave as behind Scaleway's ingress: add its headers to requests, name its server, ask for no token
    #[arg(long)]
    local: bool,
    /// Have a program of its own answer, by Scaleway's upstream protocol: SCW_HANDLER_PATH with SCW_HANDLER_IS_BINARY=true, else
    /// SCW_RUNTIME_BINARY
    #[arg(long)]
    sub_runtime: bool,
    /// Load every function at once instead of at its first request
    #[arg(long)]
    eager: bool,
    #[command(flatten)]
    operation: OperationFlags,
    #[command(flatten)]
    permissions: PermissionFlags,
    #[command(flatten)]
    log_flags: LogFlags,
    #[command(flatten)]
    debug: DebugFlags,
    #[command(flatten)]
    otlp: OtlpFlag,
    /// Log every request
    #[arg(long)]
    log_requests: bool,
    /// Show a page for developing functions at /.trine/: on a loopback address only
    #[arg(long)]
    console: bool,
    /// Pass whole paths to the functions of a folder: without it, the path of /shop/cart is /cart to the function shop
    #[arg(long)]
    keep_base_path: bool,
    /// Let pages of all origins call functions and read their answers
    #[arg(long)]
    cors: bool,
    #[command(flatten)]
    reload: ReloadFlags,
    /// Whether functions are being written.
    #[arg(skip)]
    is_development: bool,
    /// Show callers errors in full [default: on a loopback address]
    #[arg(long)]
    show_errors: bool,
    /// Show callers of a failing function no more than its status
    #[arg(long, conflicts_with = "show_errors")]
    hide_errors: bool,
}

impl Serve {
    /// Prints what is served and serves it until a signal comes. A second signal ends the process at once.
    ///
    /// # Errors
    /// Invalid settings, a path without functions, a port in use.
    pub(super) fn run(self, registry: &Registry) -> anyhow::Result<()> {
        if let Some(flag) = self.reload.idle() {
            return Err(Usage(format!("{flag} is of use with --reload, or with trine dev")).into());
        }
        match self.reload.generation.clone() {
            None if self.reload.reload => self.supervise(registry),
            place => self.serve(registry, place.as_ref()),
        }
    }

    /// Returns the command for functions that are being written.
    pub(super) fn for_development(mut self) -> Self {
        self.is_development = true;
        self.reload.reload = true;
        self.log_requests = true;
        self.eager = true;
        self.show_errors = !self.hide_errors;
        self.workers = self.workers.or(Some(1));
        self
    }

    /// Has one server after the other serve, a new one whenever files change.
    fn supervise(self, registry: &Registry) -> anyhow::Result<()> {
        let mut settings = settings()?;
        self.apply_to(&mut settings);
        self.permissions.apply_to(&mut settings).map_err(Usage)?;
        if self.sub_runtime {
            return Err(Usage(
                "--reload does not start programs of their own anew: leave out --sub-runtime"
                    .to_owned(),
            )
            .into());
        }
        let named = self.named_by_variables();
        let options = self.options(env::var("PORT").ok(), named.is_some())?;
        let folder = |file: &Path| match file.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => ".".into(),
        };
        if let Some(file) = self.template.file().filter(|file| !file.is_file()) {
            return Err(
                Usage(format!("--template {}: there is no such file", file.display())).into()
            );
        }
        let of_template = self.template.file().map(folder);
        let path = self.path.as_deref().map_or_else(|| ".".into(), PathBuf::from);
        let path = of_template.unwrap_or(path);
        let path = named.as_ref().map_or(path, scaleway::Handler::path);
        check_form(&path.to_string_lossy())?;
        let mut watched = Watched::new(&path, &settings.layer_root.value, registry);
        watched.is_debugged = settings.debuggers.are_expected();
        if !watched.exists() {
            // The error says what was looked for.
            Site::open(&path.to_string_lossy(), registry)?;
        }
        let port = Server::listen(&options)?;
        let page = options.console.as_ref().map(|_| {
            let scheme = if options.tls.is_some() { "https" } else { "http" };
            port.local_addr().map(|address| format!("{}/.trine/", base_url(scheme, address)))
        });
        dev::supervise(&self.reload, &watched, port, page.transpose()?, options.grace)
    }

    /// Serves until a signal comes, or the next in the row takes its place.
    fn serve(self, registry: &Registry, place: Option<&Place>) -> anyhow::Result<()> {
        let mut supervisor = Supervisor::new()?;
        let (mut port, mut token) = (None, None);
        if let Some(place) = place {
            let taken = place.take()?;
            port = Some(taken.port);
            supervisor = supervisor.with_generation(taken.generation);
            token = Some(taken.token);
        }
        let named = self.named_by_variables();
        let mut options = self.options(env::var("PORT").ok(), named.is_some())?;
        options.is_let_in = place.is_some();
        if let (Some(console), Some(place)) = (&mut options.console, place) {
            console.generation = place.number.saturating_sub(1);
            console.is_development = true;
            console.token = token;
        }
        let (mut settings, site, program) =
            match self.set_up(registry, named.as_ref(), &options, place) {
                Ok(set_up) => set_up,
                // Whoever asks is told; it may be mended.
                Err(error) if place.is_some() => {
                    let text = format!("{error:#}");
                    if place.is_none_or(|place| place.fault.is_none()) {
                        print_beside(&format!("error: {text}\n"));
                    }
                    options.fault = Some(text);
                    (Settings::from_environment(|_| None)?, Site::new(Vec::new()), None)
                }
                Err(error) => return Err(error),
            };
        settings.container = config::container_memory();
        let (asked, threads) = (options.workers, options.threads);
        let last_spans = options.grace.min(LAST_SPANS);
        let is_secured = options.tls.is_some();
        let server = match port {
            Some(port) => Server::on(port, options, site)?,
            None => Server::bind(options, site)?,
        };
        let workers = server.workers();
        let log = settings.log(ProcessSink);
        let tracer = self.otlp.start(&settings, &log)?;
        let mut worker = settings.concurrent_worker(tracer.attached_to(log.clone()), workers);
        worker.tracer = tracer.clone();
        let announce = |server: &Server| {
            let place_of_it = Reached { endpoint: server.endpoint(), is_secured };
            let is_first = place.is_none_or(|place| place.number == 1);
            let mut banner = match is_first {
                true => banner(server.site(), &place_of_it, asked, threads),
                // The rest is known.
                false => broken(server.site()),
            };
            if let Some(address) = server.metrics_address() {
                let _ = writeln!(banner, "Metrics on {}/metrics", base_url("http", address));
            }
            if server.options().console.is_some() && is_first {
                let _ = writeln!(banner, "Console on {}/.trine/", place_of_it.base_url());
            }
            if is_first && server.options().fault.is_some() {
                let at = place_of_it.base_url();
                print_beside(&format!(
                    "Listening on {at} all the same: it is served when that is mended\n"
                ));
            }
            // A closed standard output is no reason not to serve.
            if let Some(problem) = server.options().scaleway.access.problem() {
                print_beside(&format!("warning: nobody can call private functions: {problem}\n"));
            }
            if server.options().fault.is_none()
                && std::io::stdout().write_all(banner.as_bytes()).is_ok()
            {
                server.note_problems_reported();
            }
        };
        let program = program.as_ref().map(Program::start).transpose()?;
        let ended = server.serve_under(supervisor, &worker, announce)?;
        if !matches!(ended, Ended::Forced { .. }) {
            tracer.finish(last_spans, &Log::new(log));
        }
        drop(program);
        match ended {
            Ended::Drained => Ok(()),
            // Guests may still run: nothing but the end of the process stops them.
            forced => trine_process::end(forced.exit_code().into()),
        }
    }

    /// Finds what is to be served, and the settings for it.
    ///
    /// # Errors
    /// Whatever keeps it from being served.
    fn set_up(
        &self,
        registry: &Registry,
        named: Option<&scaleway::Handler>,
        options: &ServeOptions,
        place: Option<&Place>,
    ) -> anyhow::Result<(Settings, Site, Option<Program>)> {
        if let Some(fault) = place.and_then(|place| place.fault.clone()) {
            anyhow::bail!(fault);
        }
        let mut settings = settings()?;
        self.apply_to(&mut settings);
        self.permissions.apply_to(&mut settings).map_err(Usage)?;
        let path = self.path.as_deref().unwrap_or(".");
        let registry = &*Site::languages(path, registry)?;
        let (site, program) = match named {
            handler if self.sub_runtime => {
                let (site, program) = scaleway::site_of_program(handler)?;
                (site, Some(program))
            }
            Some(handler) => (handler.site(registry)?, None),
            None => {
                check_form(path)?;
                let tells = place.is_none_or(|place| place.number == 1);
                let site = match self.template.site(registry, tells)? {
                    Some(site) => site,
                    None => Site::open(path, registry)?,
                };
                (site, None)
            }
        };
        let site = site.surround(&settings.middlewares, &settings.layer_root.value, registry)?;
        let site = site.called_by(settings.web.interface)?;
        let site = stand_in(site, &mut settings, registry);
        if self.local {
            scaleway::check_local(options, &site)?;
        }
        if settings.recycling.isolation == Isolation::Fresh && options.threads > 1 {
            return Err(Usage(format!(
                "--threads {}: threads share modules, and isolation 'fresh' lets invocations share nothing: choose one",
                options.threads
            ))
            .into());
        }
        Ok((settings, site, program))
    }

    /// Returns the handler that Scaleway's variables name, where nothing is asked for otherwise.
    fn named_by_variables(&self) -> Option<scaleway::Handler> {
        let is_free = self.path.is_none() && self.template.file().is_none();
        scaleway::Handler::named().filter(|_| is_free)
    }

    /// Applies the flags, which take precedence over variables.
    fn apply_to(&self, settings: &mut Settings) {
        self.middleware_flag.apply_to(settings);
        self.log_flags.apply_to(settings);
        self.debug.apply_to(settings);
        settings.limit_memory(self.memory);
        let recycling = &mut settings.recycling;
        recycling.max_invocations = self.max_invocations.or(recycling.max_invocations);
        recycling.max_heap = self.max_heap.or(recycling.max_heap);
        if let Some(isolation) = self.isolation {
            recycling.isolation = isolation;
        }
    }

    /// Returns the options of the server; `on_scaleway` says that Scaleway's variables have named the handler.
    fn options(&self, variable: Option<String>, on_scaleway: bool) -> anyhow::Result<ServeOptions> {
        let port = match (self.port, variable.filter(|text| !text.is_empty())) {
            (Some(port), _) => port,
            _ if on_scaleway => scaleway::port(),
            (None, Some(text)) => address::port(&text)
                .map_err(|why| Usage(format!("the environment variable PORT: {why}")))?,
            (None, None) => DEFAULT_PORT,
        };
        let usual_host = if on_scaleway { "0.0.0.0" } else { "127.0.0.1" };
        let host = self.host.as_deref().unwrap_or(usual_host);
        let mut options = ServeOptions::new(address::resolve(host, port)?);
        self.operation.apply_to(&mut options)?;
        scaleway::apply(&mut options, on_scaleway, self.local);
        if on_scaleway {
            // Callers have always seen there what a function has failed at.
            options.error_detail = ErrorDetail::Full;
            options.event_format = EventFormat::Scaleway;
        }
        if on_scaleway || self.event_format == Some(EventFormat::Scaleway) {
            options.body_limit = scaleway::body_limit().unwrap_or(options.body_limit);
        }
        if let Some(workers) = self.workers {
            options.workers = workers as usize;
        } else if self.debug.are_given() {
            // Whoever steps through code follows one request.
            options.workers = 1;
        }
        if self.show_errors {
            options.error_detail = ErrorDetail::Full;
        }
        if self.hide_errors {
            options.error_detail = ErrorDetail::Hidden;
        }
        options.threads = self.threads as usize;
        options.share_port = self.share_port;
        if let Some(most) = self.concurrency {
            options.concurrency = most as usize;
            options.application_concurrency = options.concurrency;
        }
        options.timeout = self.timeout;
        options.grace = self.grace;
        if let Some(limit) = self.body_limit {
            options.body_limit = limit as usize;
            options.application_body_limit = options.body_limit;
        }
        options.event_format = self.event_format.unwrap_or(options.event_format);
        options.eager = self.eager;
        options.log_requests = self.log_requests;
        options.keep_base_path = self.keep_base_path;
        options.cors = self.cors;
        let is_local = check_console(&options);
        if self.console || (self.is_development && is_local.is_ok()) {
            is_local?;
            options.console = Some(ConsoleOptions::default());
        }
        Ok(options)
    }
}

/// Checks that nobody but this machine can reach a server with a console.
///
/// # Errors
/// [`Usage`] when somebody else can, or that cannot be told.
fn check_console(options: &ServeOptions) -> Result<(), Usage> {
    let place = match &options.listen {
        Listen::Address if options.address.ip().is_loopback() => return Ok(()),
        Listen::Address => options.address.to_string(),
        Listen::Unix(path) => path.display().to_string(),
        Listen::Inherited => "a socket that was handed over".to_owned(),
    };
    Err(Usage(format!(
        "--console: whoever reaches the console can invoke every function, so it is for this machine alone, and the server \
         listens on {place}: leave out --console, or listen on a loopback address such as 127.0.0.1"
    )))
}

/// Checks that a path has a form in which it can name anything.
///
/// # Errors
/// [`Usage`] when it names no file or no function.
fn check_form(path: &str) -> Result<(), Usage> {
    let forms = "a folder, a file (hello.py) or a function of a file (hello.py:handler)";
    if path.trim().is_empty() {
        return Err(Usage(format!(
            "the path to serve is empty: name {forms}, or nothing for the working directory"
        )));
    }
    match path.rsplit_once(':') {
        _ if Path::new(path).exists() => Ok(()),
        Some(("", _)) => {
            Err(Usage(format!("{path:?} names no file in front of the colon: name {forms}")))
        }
        Some((file, "")) => Err(Usage(format!(
            "{path:?} ends where the function's name should stand: write '{file}:handler', or '{file}' alone for the \
             usual name"
        ))),
        _ => Ok(()),
    }
}

/// Gives functions what Lambda would: the process's environment, and to each its name and ARN.
fn stand_in(site: Site, settings: &mut Settings, registry: &Registry) -> Site {
    let root = site.root().to_owned();
    let folder = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
    let variables = match site.functions() {
        [only] => settings.stand_in(&only.name, &root, Some(&only.located)),
        _ => settings.stand_in(&folder, &root, None),
    };
    registry.set_missing(&variables);
    site.introduce(settings.function.name.as_deref(), |name| settings.arn(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        serve: Serve,
    }

    fn options(line: &[&str], port: Option<&str>) -> anyhow::Result<ServeOptions> {
        let line = Line::try_parse_from([&["serve"], line].concat())?;
        line.serve.options(port.map(str::to_owned), false)
    }

    #[test]
    fn the_flag_comes_before_the_variable_and_that_before_the_default() {
        let port = |line: &[&str], port| options(line, port).unwrap().address.port();
        assert_eq!(port(&["--port", "1"], Some("2")), 1);
        assert_eq!(port(&[], Some("2")), 2);
        assert_eq!(port(&[], None), 9000);
        let why = options(&[], Some("http")).unwrap_err().to_string();
        assert_eq!(
            why,
            "the environment variable PORT: \"http\" is no port: write a whole number from 0 to 65535"
        );
    }

    #[test]
    fn errors_are_shown_to_nobody_but_this_machine_unless_asked_for() {
        let detail = |line: &[&str]| options(line, None).unwrap().error_detail;
        assert_eq!(detail(&[]), ErrorDetail::Full);
        assert_eq!(detail(&["--host", "0.0.0.0"]), ErrorDetail::Hidden);
        assert_eq!(detail(&["--host", "0.0.0.0", "--show-errors"]), ErrorDetail::Full);
        assert_eq!(detail(&["--hide-errors"]), ErrorDetail::Hidden);
    }

    #[test]
    fn values_have_units_and_those_without_sense_are_told_with_the_form() {
        let given = options(&["--timeout", "1.5", "--grace", "0", "--body-limit", "64KiB"], None);
        let given = given.unwrap();
        assert_eq!(given.timeout, Some(Duration::from_millis(1500)));
        assert_eq!((given.grace, given.body_limit), (Duration::ZERO, 65536));
        let standard = options(&[], None).unwrap();
        assert_eq!((standard.timeout, standard.grace), (None, Duration::from_secs(10)));
        assert_eq!(standard.body_limit, 6 << 20);
        assert_eq!((standard.concurrency, options(&["-w", "3"], None).unwrap().workers), (64, 3));
        for (flag, value, part) in [
            ("--timeout", "0", "the least is 1ms"),
            ("--timeout", "-1", "such as 500ms, 30s or 5m"),
            ("--port", "abc", "write a whole number from 0 to 65535"),
            ("--port", "70000", "write a whole number from 0 to 65535"),
            ("--port", "-1", "write a whole number from 0 to 65535"),
            ("--host", "127.0.0.1:80", "an address such as 127.0.0.1"),
            ("--isolation", "full", "use shared or fresh"),
            ("--workers", "-1", "write a whole number from 1 to 1024"),
            ("--timeout", "soon", "such as 500ms, 30s or 5m (a number alone is seconds)"),
            ("--timeout", "1y", "such as 500ms, 30s or 5m"),
            ("--timeout", "25d", "the most is 24d"),
            ("--grace", "long", "such as 500ms, 30s or 5m"),
            ("--memory", "1", "the least is 16MiB"),
            ("--memory", "0", "the least is 16MiB"),
            ("--memory", "512XB", "such as 64KiB, 512MiB or 1GB (a number alone is MiB)"),
            ("--max-heap", "0.5", "the least is 1MiB"),
            ("--max-invocations", "0", "write a whole number from 1 on"),
            ("--body-limit", "2GiB", "the most is 1GiB"),
            ("--workers", "0", "write a whole number from 1 to 1024"),
            ("--workers", "5000", "write a whole number from 1 to 1024"),
            ("--concurrency", "many", "write a whole number from 1 to 65536"),
        ] {
            let why = options(&[flag, value], None).unwrap_err().to_string();
            assert!(why.contains(part) && why.contains(flag) && why.contains(value), "{why}");
        }
    }
}
