//! The settings of a process: defaults, then the environment, then flags. Every value knows where it came from.

mod container;
mod debug;
mod log;
mod permissions;
mod stand_in;
mod units;
mod variables;
mod web;

pub use container::container_memory;
pub use debug::debug_place;
pub use log::{AtLeast, Format};
pub use permissions::extent;
pub use stand_in::{Variable as EnvironmentVariable, as_managed};
pub use units::{CountForm, PlainSize, PlainTime, SizeForm, TimeForm};
pub use variables::{Group as VariableGroup, Known as KnownVariable, VARIABLES, is_secret};
pub use web::{ResponseMode, WebSettings};

use crate::{
    engines::Registry,
    handler::{Located, SearchPaths},
    pipeline::{MiddlewareNames, Order, Plan, middleware_folders},
    worker::{CloudEvents, DEFAULT_MARGIN, Isolation, Recycling, Watchdog, WorkerOptions},
};
use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};
use trine_engine::{
    Debuggers, Environment, FunctionInfo, Level, LogFormat, LogSettings, LogSink, Permissions,
};

/// The origin of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The default, because nothing was set.
    Default,
    /// An environment variable of this name.
    Environment(&'static str),
    /// A flag of this name.
    Flag(&'static str),
    /// The argument that names what the command works on.
    Argument,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::Flag(name) => write!(f, "the flag {name}"),
            Self::Argument => f.write_str("the command's argument"),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// Returns the value of the variable if it is set, as its type reads it, else the default.
    ///
    /// # Errors
    /// [`SettingError`] when the variable's text is not such a value.
    pub fn parse(
        variable: (&'static str, Option<String>),
        default: impl FnOnce() -> T,
    ) -> Result<Self, SettingError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        Self::read(
            variable,
            |text| text.parse().map_err(|error: T::Err| error.to_string()),
            default,
        )
    }

    /// Returns the value of the variable if it is set, as `parse` reads it, else the default.
    ///
    /// # Errors
    /// [`SettingError`] with the message from `parse`.
    pub fn read(
        variable: (&'static str, Option<String>),
        parse: impl FnOnce(&str) -> Result<T, String>,
        default: impl FnOnce() -> T,
    ) -> Result<Self, SettingError> {
        match variable {
            (name, Some(text)) if !text.is_empty() => match parse(&text) {
                Ok(value) => Ok(Self { value, origin: Origin::Environment(name) }),
                Err(reason) => Err(SettingError { name, text, reason }),
            },
            _ => Ok(Self { value: default(), origin: Origin::Default }),
        }
    }

    /// Returns the value of a variable of the platform's. A text that is no such value counts as unset, as it does in
    /// the platform's own runtimes: it is no reason not to start.
    fn of_platform(variable: (&'static str, Option<String>), default: fn() -> T) -> Self
    where
        T: FromStr<Err: fmt::Display>,
    {
        Self::parse(variable, default)
            .unwrap_or_else(|_| Self { value: default(), origin: Origin::Default })
    }
}

/// An environment variable with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} is {text:?}: {reason}")]
pub struct SettingError {
    name: &'static str,
    text: String,
    reason: String,
}

impl SettingError {
    /// Returns the variable's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what is wrong with its value.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// The settings that hold for every front door.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The function's folder: `LAMBDA_TASK_ROOT`, else the working directory.
    pub task_root: Setting<PathBuf>,
    /// The folder that layers are unpacked to: `TRINE_LAYER_ROOT`, else `/opt`.
    pub layer_root: Setting<PathBuf>,
    /// Form of log lines: `AWS_LAMBDA_LOG_FORMAT` (`JSON` or `Text`), else text.
    pub log_format: Setting<Format>,
    /// Lowest level of log lines: `AWS_LAMBDA_LOG_LEVEL`; none leaves each language its own default.
    pub log_level: Setting<AtLeast>,
    /// The platform's facts about the function.
    pub function: FunctionInfo,
    /// The region that the function is in: `AWS_REGION`, else `AWS_DEFAULT_REGION`, else `us-east-1`.
    pub region: String,
    /// The middlewares around every function: `TRINE_MIDDLEWARES` or `SLSMIDDLEWARES`.
    pub middlewares: MiddlewareNames,
    /// Maximum memory of an interpreter, in bytes: `TRINE_MEMORY`, else, as a Lambda runtime, what
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` leaves for it, else no limit.
    pub memory: Setting<Option<u64>>,
    /// What functions may do: `TRINE_ALLOW_NET`, `TRINE_DENY_NET` and their like, else everything.
    pub permissions: Setting<Permissions>,
    /// Memory of the container that a server runs in, in bytes, where it has a limit: its interpreters share it unless
    /// [`memory`](Self::memory) is set. See [`container_memory`].
    pub container: Option<u64>,
    /// The limits at which instances are replaced: `TRINE_MAX_INVOCATIONS`, `TRINE_MAX_HEAP`, `TRINE_ISOLATION`.
    pub recycling: Recycling,
    /// The time before its deadline at which an invocation is warned: `TRINE_TIMEOUT_MARGIN_MS`, else 50 ms.
    pub timeout_margin: Setting<Duration>,
    /// The number of invocations that Lambda hands out at once: `AWS_LAMBDA_MAX_CONCURRENCY`, else one.
    pub concurrency: usize,
    /// Whether Lambda takes a snapshot of the process when it has loaded its function: `AWS_LAMBDA_INITIALIZATION_TYPE` is
    /// `snap-start`.
    pub snap_start: bool,
    /// The number of threads on which handlers run that hold theirs, where invocations come side by side and the language
    /// has one interpreter: `TRINE_PYTHON_CONCURRENCY`, else as many as invocations.
    pub threads: Option<usize>,
    /// The number of threads over which functions are spread whose waits leave their thread to others, where invocations
    /// come side by side: `AWS_LAMBDA_NODEJS_WORKER_COUNT`, as Lambda's Node.js reads it, else one for each processor.
    pub spread: Option<usize>,
    /// The form in which functions are given events of AWS's services: `TRINE_CLOUDEVENTS`, else their own.
    pub cloudevents: Option<CloudEvents>,
    /// Where debuggers may attach: `TRINE_INSPECT`, `TRINE_DEBUG`, else nowhere.
    pub debuggers: Debuggers,
    /// The places to which an event may have a debugger's connection made: `TRINE_DEBUG_PROXY`, else none.
    pub debug_proxies: Arc<[String]>,
    /// How web applications are called.
    pub web: WebSettings,
}

/// The forms of an invocation's time limit. With more than JavaScript's timers can hold (2^31 ms), a function that
/// waits for nearly all of it would not wait at all.
pub const TIMEOUT: TimeForm = TimeForm {
    plain: PlainTime::Seconds,
    least: Duration::from_millis(1),
    most: Duration::from_secs(24 * 86_400),
};

/// The forms of the time for requests in flight to finish at the end; zero is allowed.
pub const GRACE: TimeForm = TimeForm { least: Duration::ZERO, ..TIMEOUT };

/// The forms of the time before its deadline at which an invocation is warned.
pub const MARGIN: TimeForm = TimeForm {
    plain: PlainTime::Milliseconds,
    least: Duration::ZERO,
    most: Duration::from_secs(3_600),
};

/// The forms of an interpreter's memory limit. Below the least, some languages' do not even start.
pub const MEMORY: SizeForm =
    SizeForm { plain: PlainSize::Mebibytes, least: 16 << 20, most: 1 << 40 };

/// The forms of the size beyond which a heap is replaced.
pub const HEAP: SizeForm = SizeForm { least: 1 << 20, ..MEMORY };

/// The forms of a request body's size limit: the body is held in memory as a whole.
pub const BODY: SizeForm = SizeForm { plain: PlainSize::Bytes, least: 0, most: 1 << 30 };

/// The forms of the number of invocations after which an interpreter is replaced.
pub const INVOCATIONS: CountForm = CountForm { least: 1, most: u64::MAX };

impl Settings {
    /// Reads settings from the environment as far as they make sense, for a process that has to tell somebody of those
    /// that do not: these are returned as well, and have their defaults.
    pub fn sensible(env: impl Fn(&'static str) -> Option<String>) -> (Self, Vec<SettingError>) {
        let mut errors: Vec<SettingError> = Vec::new();
        loop {
            let known = |name| errors.iter().any(|error| error.name == name);
            match Self::from_environment(|name| env(name).filter(|_| !known(name))) {
                Ok(settings) => return (settings, errors),
                // Without its variable it does not come again.
                Err(error) => errors.push(error),
            }
        }
    }

    /// Reads settings from the environment, which `env` looks up.
    ///
    /// # Errors
    /// When a variable's value is invalid.
    pub fn from_environment(
        env: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, SettingError> {
        let variable = |name: &'static str| (name, env(name));
        // Engines are given absolute paths only.
        let folder = |variable, default: fn() -> PathBuf| {
            let mut folder: Setting<PathBuf> = Setting::parse(variable, default)?;
            if let Ok(absolute) = std::path::absolute(&folder.value) {
                folder.value = absolute;
            }
            Ok(folder)
        };
        Ok(Self {
            task_root: folder(variable("LAMBDA_TASK_ROOT"), || PathBuf::from("."))?,
            layer_root: folder(variable("TRINE_LAYER_ROOT"), || PathBuf::from("/opt"))?,
            log_format: Setting::of_platform(variable("AWS_LAMBDA_LOG_FORMAT"), || {
                Format(LogFormat::Text)
            }),
            log_level: Setting::of_platform(variable("AWS_LAMBDA_LOG_LEVEL"), || AtLeast(None)),
            function: FunctionInfo {
                name: env("AWS_LAMBDA_FUNCTION_NAME"),
                version: env("AWS_LAMBDA_FUNCTION_VERSION"),
                memory_mb: env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
                log_group: env("AWS_LAMBDA_LOG_GROUP_NAME"),
                log_stream: env("AWS_LAMBDA_LOG_STREAM_NAME"),
            },
            region: ["AWS_REGION", "AWS_DEFAULT_REGION"]
                .into_iter()
                .find_map(|name| env(name).filter(|region| !region.is_empty()))
                .unwrap_or_else(|| stand_in::REGION.to_owned()),
            middlewares: middlewares(variable("TRINE_MIDDLEWARES"), variable("SLSMIDDLEWARES"))?,
            memory: memory(
                variable("TRINE_MEMORY"),
                // Elsewhere the figure is made up, also by us: it limits nobody.
                variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
                env("AWS_LAMBDA_RUNTIME_API").is_some(),
            )?,
            permissions: permissions::from_environment(variable)?,
            container: None,
            recycling: Recycling {
                max_invocations: optional(variable("TRINE_MAX_INVOCATIONS"), |text| {
                    INVOCATIONS.parse(text)
                })?
                .value,
                max_heap: optional(variable("TRINE_MAX_HEAP"), |text| HEAP.parse(text))?.value,
                isolation: Setting::parse(variable("TRINE_ISOLATION"), || Isolation::Shared)?.value,
            },
            timeout_margin: Setting::read(
                variable("TRINE_TIMEOUT_MARGIN_MS"),
                |text| MARGIN.parse(text),
                || DEFAULT_MARGIN,
            )?,
            concurrency: Setting::of_platform(variable("AWS_LAMBDA_MAX_CONCURRENCY"), || 1_usize)
                .value
                .max(1),
            snap_start: env("AWS_LAMBDA_INITIALIZATION_TYPE")
                .is_some_and(|kind| kind == "snap-start"),
            threads: optional(variable("TRINE_PYTHON_CONCURRENCY"), |text| {
                INVOCATIONS.parse(text)
            })?
            .value
            .map(|threads| usize::try_from(threads).unwrap_or(usize::MAX)),
            spread: env("AWS_LAMBDA_NODEJS_WORKER_COUNT")
                .and_then(|text| text.trim().parse().ok())
                .filter(|threads| *threads > 0),
            cloudevents: optional(variable("TRINE_CLOUDEVENTS"), str::parse)?.value,
            debuggers: Debuggers {
                inspector: optional(variable("TRINE_INSPECT"), debug::listener)?.value,
                adapter: optional(variable("TRINE_DEBUG"), debug::listener)?.value,
            },
            debug_proxies: optional(variable("TRINE_DEBUG_PROXY"), debug::proxies)?
                .value
                .unwrap_or_default()
                .into(),
            web: WebSettings::read(&env)?,
        })
    }

    /// Applies `--memory`, in bytes, which takes precedence over the variables.
    pub fn limit_memory(&mut self, flag: Option<u64>) {
        if flag.is_some() {
            self.memory = Setting { value: flag, origin: Origin::Flag("--memory") };
        }
    }

    /// Applies `--log-format` and `--log-level`, which take precedence over the variables.
    pub fn set_log(&mut self, format: Option<Format>, level: Option<Level>) {
        if let Some(value) = format {
            self.log_format = Setting { value, origin: Origin::Flag("--log-format") };
        }
        if level.is_some() {
            let origin = Origin::Flag("--log-level");
            self.log_level = Setting { value: AtLeast(level), origin };
        }
    }

    /// Returns the options of the worker on the main thread of a process that takes one invocation at a time.
    pub fn sequential_worker(&self, log: LogSettings) -> WorkerOptions {
        self.worker(self.sequential_environment(log), 1)
    }

    /// Returns the options of the worker on the main thread, and of those on other threads, of a Lambda runtime whose
    /// invocations come side by side. Each may take what the platform gives the function: which of them needs most is not
    /// known.
    pub fn managed_workers(&self, log: LogSettings) -> (WorkerOptions, WorkerOptions) {
        let others = self.worker(self.concurrent_environment(log), 1);
        let environment = others.environment.clone().with_main_thread(true);
        (WorkerOptions { environment, ..others.clone() }, others)
    }

    /// Returns the options of each of `workers` workers that run on threads of their own.
    pub fn concurrent_worker(&self, log: LogSettings, workers: usize) -> WorkerOptions {
        let mut environment = self.concurrent_environment(log);
        if let Some(all) = self.shared_container() {
            let share = left_of(all) / workers.max(1) as u64;
            environment = environment.with_memory_limit(Some(share.max(MEMORY.least)));
        }
        self.worker(environment, workers)
    }

    fn worker(&self, environment: Environment, workers: usize) -> WorkerOptions {
        // Languages without a limit of their own share the process's memory with everything else in it.
        let resident = match self.memory.origin {
            Origin::Environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") => {
                self.function.memory_mb.as_deref().and_then(|text| text.parse().ok()).map(mebibytes)
            }
            // The system ends a process that has all of it.
            Origin::Default => self.shared_container().map(|all| all - all / 16),
            _ => self
                .memory
                .value
                .map(|limit| limit.saturating_mul(workers as u64).saturating_add(RESERVE)),
        };
        WorkerOptions {
            recycling: self.recycling,
            watchdog: Watchdog::new(self.timeout_margin.value, resident),
            debug_proxies: self.debug_proxies.clone(),
            takes_streams: self.web.response_mode == ResponseMode::Stream,
            conversion: self.cloudevents.map(|form| form.conversion(&self.region)),
            ..WorkerOptions::new(environment)
        }
    }

    /// Returns the container's memory if nothing else limits the interpreters in it.
    fn shared_container(&self) -> Option<u64> {
        self.container.filter(|_| self.memory.origin == Origin::Default)
    }

    /// Returns the folders in which a handler is looked for.
    pub fn search_paths(&self) -> SearchPaths {
        SearchPaths {
            layer_root: self.layer_root.value.clone(),
            ..SearchPaths::new(&self.task_root.value)
        }
    }

    /// Finds what runs for a function's invocations: the handler and the middlewares that are set.
    ///
    /// # Errors
    /// As [`Plan::find`].
    pub fn plan(&self, mut handler: Located, registry: &Registry) -> trine_engine::Result<Plan> {
        self.web.apply_to(&mut handler)?;
        let root = handler.module.root.clone();
        let folders = middleware_folders(&self.layer_root.value, &root, &self.task_root.value);
        Plan::find(handler, &self.middlewares, &folders, registry)
    }

    /// Returns the settings of the log that guests and the runtime write to.
    pub fn log(&self, sink: impl LogSink + 'static) -> LogSettings {
        LogSettings {
            sink: Arc::new(sink),
            format: self.log_format.value.0,
            level: self.log_level.value.0,
        }
    }

    /// Returns the facts for an instance on the main thread of a process that takes one invocation at a time.
    pub fn sequential_environment(&self, log: LogSettings) -> Environment {
        Environment::new(self.layer_root.value.clone(), log)
            .with_function(self.function.clone())
            .with_main_thread(true)
            .with_trace_in_environment(true)
            .with_lone_root(true)
            .with_snap_start(self.snap_start)
            .with_memory_limit(self.memory.value)
            .with_permissions(self.permissions.value.clone())
            .with_debuggers(self.debuggers)
    }

    /// Returns the facts for an instance on one of several threads.
    pub fn concurrent_environment(&self, log: LogSettings) -> Environment {
        self.sequential_environment(log)
            .with_main_thread(false)
            .with_trace_in_environment(false)
            .with_shares_process(true)
            .with_lone_root(false)
    }
}

/// Memory that a function needs beside an interpreter's heap, in bytes: for the binary, stacks, buffers.
const RESERVE: u64 = mebibytes(64);

/// Returns what is left for interpreters of all the memory there is, in bytes.
fn left_of(all: u64) -> u64 {
    all.saturating_sub(RESERVE).max(all / 2)
}

const fn mebibytes(number: u64) -> u64 {
    number.saturating_mul(1 << 20)
}

type Variable = (&'static str, Option<String>);

/// Reads a setting that may be absent.
fn optional<T>(
    variable: Variable,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Setting<Option<T>>, SettingError> {
    Setting::read(variable, |text| parse(text).map(Some), || None)
}

/// Returns the memory of one interpreter: as set, or what the platform's figure for the whole process leaves.
fn memory(
    own: Variable,
    platform: Variable,
    on_platform: bool,
) -> Result<Setting<Option<u64>>, SettingError> {
    let given = optional(own, |text| MEMORY.parse(text))?;
    let mut memory = optional(platform, |text| CountForm { least: 1, most: u64::MAX }.parse(text))?;
    if given.origin != Origin::Default || !on_platform {
        return Ok(given);
    }
    memory.value = memory.value.map(mebibytes).map(left_of);
    Ok(memory)
}

/// Reads the names of the middlewares. An empty variable counts as unset; with both the order would be open.
fn middlewares(own: Variable, earlier: Variable) -> Result<MiddlewareNames, SettingError> {
    let listed = |variable: &Variable, order| {
        MiddlewareNames::list(variable.1.as_deref().unwrap_or_default(), order)
    };
    let own_list = listed(&own, Order::Onion);
    let earlier_list = listed(&earlier, Order::Listed);
    match (own_list.names.is_empty(), earlier_list.names.is_empty()) {
        (false, false) => Err(SettingError {
            name: earlier.0,
            text: earlier.1.unwrap_or_default(),
            reason: format!(
                "{} is set as well ({:?}), and the two stand for different orders of after hooks; keep {} for the \
                 order of an onion and unset {}, or the other way round for the order of the list",
                own.0,
                own.1.unwrap_or_default(),
                own.0,
                earlier.0
            ),
        }),
        (true, false) => Ok(earlier_list),
        _ => Ok(own_list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&'static str, &str)]) -> Result<Settings, SettingError> {
        Settings::from_environment(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn a_value_knows_where_it_came_from() {
        let settings = settings(&[("LAMBDA_TASK_ROOT", "/var/task")]).unwrap();
        assert_eq!(settings.task_root.value, PathBuf::from("/var/task"));
        assert_eq!(settings.task_root.origin, Origin::Environment("LAMBDA_TASK_ROOT"));
        assert_eq!(settings.layer_root.origin, Origin::Default);
        let port = Setting::parse(("PORT", Some("2".into())), || 3);
        assert_eq!(port.unwrap(), Setting { value: 2, origin: Origin::Environment("PORT") });
        let mut settings = settings;
        settings.limit_memory(Some(1));
        assert_eq!(settings.memory.origin, Origin::Flag("--memory"));
    }

    #[test]
    fn a_wrong_text_is_named_with_its_variable() {
        let error = settings(&[("TRINE_ISOLATION", "full")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable TRINE_ISOLATION is \"full\": use shared or fresh"
        );
    }

    #[test]
    fn beside_wrong_texts_the_others_count() {
        let variables = [
            ("TRINE_MEMORY", "nonsense"),
            ("TRINE_ISOLATION", "full"),
            ("TRINE_MAX_INVOCATIONS", "7"),
            ("TRINE_MIDDLEWARES", "a"),
            ("SLSMIDDLEWARES", "b"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ];
        let (settings, errors) = Settings::sensible(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        });
        let names: Vec<&str> = errors.iter().map(|error| error.name).collect();
        assert_eq!(names, ["SLSMIDDLEWARES", "TRINE_MEMORY", "TRINE_ISOLATION"]);
        assert_eq!(settings.log_format.value.0, LogFormat::Json);
        assert_eq!(settings.recycling.max_invocations, Some(7));
        assert_eq!(settings.middlewares.names, ["a"]);
    }

    #[test]
    fn middlewares_come_from_one_of_two_variables() {
        let asked = |variables: &[_]| settings(variables).map(|settings| settings.middlewares);
        let own = asked(&[("TRINE_MIDDLEWARES", " a, b ,,c"), ("SLSMIDDLEWARES", "")]).unwrap();
        assert_eq!((own.names.join("+").as_str(), own.order), ("a+b+c", Order::Onion));
        let earlier = asked(&[("SLSMIDDLEWARES", "a")]).unwrap();
        assert_eq!((earlier.names.join("+").as_str(), earlier.order), ("a", Order::Listed));
        let error = asked(&[("TRINE_MIDDLEWARES", "a"), ("SLSMIDDLEWARES", "b")]).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("SLSMIDDLEWARES is \"b\""), "{message}");
        assert!(message.contains("keep TRINE_MIDDLEWARES"), "{message}");
    }

    #[test]
    fn memory_is_what_is_said_or_what_the_platform_leaves() {
        let memory = |variables: &[_]| {
            settings(variables).unwrap().memory.value.map(|bytes| bytes / mebibytes(1))
        };
        let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
        assert_eq!(memory(&[]), None);
        assert_eq!(memory(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")]), None);
        assert_eq!(memory(&[api, ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")]), Some(64));
        assert_eq!(memory(&[api, ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")]), Some(960));
        let both = [api, ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"), ("TRINE_MEMORY", "100")];
        assert_eq!(memory(&both), Some(100));
        assert_eq!(memory(&[("TRINE_MEMORY", "1GiB")]), Some(1024));
        let error = settings(&[("TRINE_MAX_INVOCATIONS", "0")]).unwrap_err().to_string();
        assert!(error.ends_with("write a whole number from 1 on"), "{error}");
        let error = settings(&[("TRINE_ISOLATION", "full")]).unwrap_err().to_string();
        assert!(error.ends_with("use shared or fresh"), "{error}");
    }

    #[test]
    fn log_format_and_level_are_read_in_any_case() {
        let settings =
            settings(&[("AWS_LAMBDA_LOG_FORMAT", "json"), ("AWS_LAMBDA_LOG_LEVEL", "Warn")]);
        let settings = settings.unwrap();
        assert_eq!(settings.log_format.value.0, LogFormat::Json);
        assert_eq!(settings.log_level.value.0, Some(Level::Warn));
    }

    #[test]
    fn a_log_format_or_level_that_nobody_knows_counts_as_unset() {
        let variables = [("AWS_LAMBDA_LOG_FORMAT", "xml"), ("AWS_LAMBDA_LOG_LEVEL", "LOUD")];
        let settings = settings(&variables).unwrap();
        assert_eq!(settings.log_format.value.0, LogFormat::Text);
        assert_eq!(settings.log_format.origin, Origin::Default);
        assert_eq!(settings.log_level.value.0, None);
    }
}
