//! `trine test`: functions with their events, and the answers that are expected of them.

mod capture;
mod outcome;
mod run;

use super::{
    Usage, log_flags::LogFlags, paints, permission_flags::PermissionFlags, print_beside, settings,
    target,
};
use crate::{
    config,
    engines::Registry,
    suite::{Found, Search, Suite},
    worker::WorkerOptions,
};
use anyhow::Context;
use capture::Capture;
use clap::Args;
use outcome::{Paint, SuiteRan, as_json, as_junit, has_failed, summary};
use run::Run;
use std::{
    env,
    fs::File,
    io::Write,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Builder, task::LocalSet};

/// Run functions with the events that lie beside them, and compare their answers with what is expected.
///
/// A function's folder holds a folder events: NAME.json is an event, NAME.expected.json the answer to it,
/// NAME.expected.txt an answer that is text, NAME.expected-error.json a failure (errorType, errorMessage). The strings
/// $any, $string, $number, $integer, $boolean, $list, $object, $uuid and $date in an expected answer stand for any such value, $$any for
/// the string $any, and {"$json": VALUE} for a string that holds this JSON. Each function is loaded once.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Test {
    /// Folders, which are searched as a whole, handlers' files, or single events
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The handler beside each folder of events, as seen from there: src/app.handler [default: handler, index, app, main,
    /// function or lambda_function of each language]
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
    /// Run only cases with this text in the function's file or in their name: orders/handler.py/refund
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write what functions answer where nothing is expected yet
    #[arg(long)]
    update: bool,
    /// With --update, also overwrite what is expected and differs; placeholders that still hold stay
    #[arg(long, requires = "update")]
    force: bool,
    /// Write a report as JUnit's XML to this file as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show what functions log also where they pass
    #[arg(long, short)]
    verbose: bool,
    /// The time that a case is given: 30s, 500ms, 5m; a number alone is seconds
    #[arg(long, value_name = "TIME", default_value = "30s", allow_negative_numbers = true, value_parser = |text: &str| config::TIMEOUT.parse(text))]
    timeout: Duration,
    /// How much memory an interpreter may take: 512MiB, 1GB; a number alone is MiB
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true, value_parser = |text: &str| config::MEMORY.parse(text))]
    memory: Option<u64>,
    #[command(flatten)]
    middleware_flag: target::MiddlewareFlag,
    #[command(flatten)]
    permissions: PermissionFlags,
    #[command(flatten)]
    log_flags: LogFlags,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   all cases passed
  1   a case failed
  2   the command line is wrong, or there is nothing to run

An event to begin with: trine event s3 > events/put.json, then trine test --update";

/// The time for what functions still do at their program's end.
const END_TIME: Duration = Duration::from_secs(2);

impl Test {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        match self.test(registry) {
            Ok(code) => code,
            Err(error) => super::fail(&format!("error: {error:#}"), 2),
        }
    }

    fn test(&self, registry: &Registry) -> anyhow::Result<ExitCode> {
        let mut settings = settings()?;
        self.middleware_flag.apply_to(&mut settings);
        self.log_flags.apply_to(&mut settings);
        settings.limit_memory(self.memory);
        self.permissions.apply_to(&mut settings).map_err(Usage)?;
        let suites = self.suites(&settings.layer_root.value.clone(), registry)?;
        let mut junit = match &self.junit {
            None => None,
            // Before anything is run for it.
            Some(path) => Some(
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?,
            ),
        };
        let (capture, out) = Capture::begin()?;
        let out = Arc::new(out);
        let log = settings.log(capture.clone());
        let options = match suites.as_slice() {
            [only] => {
                let (name, root) = (&only.located.module.name, &only.located.module.root);
                let variables = settings.stand_in(name, root, Some(&only.located));
                registry.set_missing(&variables);
                settings.sequential_worker(log)
            }
            _ => {
                // What each function is called is said to it; the variables are of all.
                let own = settings.function.name.clone();
                let here = env::current_dir()?;
                let folder = here.file_name().unwrap_or(here.as_os_str()).to_string_lossy();
                let variables = settings.stand_in(&folder, &here, None);
                registry.set_missing(&variables);
                settings.function.name = own;
                let (on_main_thread, _): (WorkerOptions, _) = settings.managed_workers(log);
                on_main_thread
            }
        };
        let run = Run {
            settings: &settings,
            registry,
            options,
            capture: &capture,
            timeout: self.timeout,
            update: self.update,
            force: self.force,
            out: out.clone(),
        };
        let paint = Paint(paints(&*out));
        let say = |text: &str| {
            if !self.json {
                // Whoever has closed the other end no longer wants to know.
                let _ = (&*out).write_all(text.as_bytes());
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let begun = Instant::now();
            let mut workers = Vec::new();
            let mut done: Vec<SuiteRan> = Vec::new();
            for suite in suites {
                let (name, engine) = (suite.name.clone(), suite.located.engine.info().id);
                say(&format!("{}{name}\n", if done.is_empty() { "" } else { "\n" }));
                let mut cases = Vec::new();
                let mut each = |ran: outcome::Ran| {
                    say(&ran.told(paint, self.verbose));
                    cases.push(ran);
                };
                // A language's last words come once, so no worker ends before all have run.
                workers.push(run.suite(suite, &mut each).await);
                done.push(SuiteRan { name, engine, cases });
            }
            let whole = begun.elapsed();
            say(&format!("{}\n", summary(&done, paint, whole)));
            if self.json {
                let _ = writeln!(&*out, "{:#}", as_json(&done, whole));
            }
            let mut code = u8::from(has_failed(&done));
            if let (Some(file), Some(path)) = (&mut junit, &self.junit)
                && let Err(error) = file.write_all(as_junit(&done, whole).as_bytes())
            {
                code = 1;
                print_beside(&format!("error: cannot write {}: {error}\n", path.display()));
            }
            for worker in workers.into_iter().rev() {
                worker.end_by_itself(END_TIME, code.into()).await;
            }
            Ok(ExitCode::from(code))
        })
    }

    /// Finds what is to be run.
    fn suites(&self, layers: &std::path::Path, registry: &Registry) -> anyhow::Result<Vec<Suite>> {
        let search = Search { handler: self.handler.as_deref(), layers, registry };
        let Found { mut suites, passed_over } = search.find(&self.paths).map_err(Usage)?;
        let all: usize = suites.iter().map(|suite| suite.cases.len()).sum();
        if let Some(filter) = &self.filter {
            for suite in &mut suites {
                let name = suite.name.clone();
                suite.cases.retain(|case| format!("{name}/{}", case.name).contains(filter));
            }
            suites.retain(|suite| !suite.cases.is_empty());
        }
        let told: String = passed_over.iter().map(|why| format!("passed over {why}\n")).collect();
        print_beside(&told);
        if !suites.is_empty() {
            return Ok(suites);
        }
        let paths: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        let paths = paths.join(", ");
        Err(Usage(match &self.filter {
            Some(filter) if all > 0 => format!(
                "nothing to run: none of {all} cases in {paths} has {filter:?} in its function's file or its name"
            ),
            _ => format!(
                "nothing to run in {paths}: events lie in a folder 'events' beside a function's handler, as NAME.json; \
                 'trine event s3 > events/put.json' makes one"
            ),
        })
        .into())
    }
}
