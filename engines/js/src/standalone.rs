//! The process as Node: what a guest starts with `process.execPath`, `fork` and their like. There are no invocations,
//! no log and no limits here: streams, exit status, signals and the channel to the parent are those of a plain process.

use crate::{
    command::{CommandLine, Refused, Task},
    fatal::{self, Fatal, FatalReport},
    host::{Facts, Host, Mode, text_or_undefined, texts},
    isolate::{self, Snapshot},
    loader::{Loader, package_folders},
    memory::Memory,
    options::NodeOptions,
    permits,
    threads::Threads,
    transpile::{is_module, syntax_problem},
    typescript::transpile_text,
};
use deno_runtime::{
    BootstrapOptions,
    deno_core::{
        ModuleSpecifier,
        error::{CoreError, exception_to_err},
        scope, v8,
    },
    deno_io::DENO_EXTRA_STDIO_FDS_ENV_VAR,
    deno_node::ops::ipc::ChildIpcSerialization,
    tokio_util::create_and_run_current_thread,
    worker::MainWorker,
};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal, Read},
    path::Path,
    process::exit,
    rc::{Rc, Weak},
    sync::Arc,
};
use trine_engine::{Environment, Stream};

/// The event loop's message about such a module.
const NEVER_RESOLVED: &str = "Top-level await promise never resolved";
/// Status of a process whose ES module waits for something that can no longer happen.
const NEVER_SETTLED: i32 = 13;
/// Status of a process in which the runtime itself has failed.
const INTERNAL: i32 = 70;
/// Status of a process that V8 has no memory for: as if it had been aborted.
const OUT_OF_MEMORY: i32 = 134;

/// Runs what a command line of Node's asks for, and ends the process.
pub(crate) fn run(command_line: &[OsString], environment: &Environment) -> ! {
    trine_process::signal::leave_faults_to_the_system();
    let words: Vec<String> =
        command_line.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (argv0, words) = match words.split_first() {
        Some((argv0, words)) => (argv0.clone(), words),
        None => ("node".to_owned(), &[][..]),
    };
    let of_variable = NodeOptions::parse(env::var_os("NODE_OPTIONS").as_deref());
    let outcome = CommandLine::parse(words, of_variable).and_then(|line| {
        for option in &line.ignored {
            tell(
                environment,
                &format!("(node:{}) Warning: {option} has no effect here", std::process::id()),
            );
        }
        match &line.task {
            Task::Help => {
                environment.log.sink.write(Stream::Stdout, HELP.as_bytes());
                Ok(0)
            }
            Task::Check(path) => Ok(check(environment, Path::new(path))),
            _ => Interpreter::new(argv0, line, environment).map(Interpreter::run),
        }
    });
    exit(outcome.unwrap_or_else(|Refused(what)| {
        tell(environment, &format!("node: {what}"));
        9
    }))
}

const HELP: &str = "\
Usage: node [options] [ script.js ] [arguments]
       node [options] -e code [arguments]

  -                       run what comes from standard input
  --                      end of the options
  -c, --check             parse the script, no more
  -C, --conditions=...    a condition under which packages export
  -e, --eval=...          run this code
  -p, --print=...         run this code and print its value
  -r, --require=...       load a CommonJS module first
  -v, --version           print the version of Node whose interfaces are here
  --enable-source-maps    trace stacks to the original sources
  --expose-gc             make global.gc available
  --import=...            load an ES module first
  --input-type=...        whether such code is \"module\" or \"commonjs\"
  --max-old-space-size=N  let the heap grow to N MiB
  --no-warnings           print no warnings
";

/// Writes a line to standard error.
fn tell(environment: &Environment, line: &str) {
    environment.log.sink.write(Stream::Stderr, format!("{line}\n").as_bytes());
}

/// Reports where a script does not parse.
fn check(environment: &Environment, path: &Path) -> i32 {
    let problem = std::path::absolute(path).and_then(|path| {
        let source = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let url = ModuleSpecifier::from_file_path(&path)
            .map_err(|()| io::Error::other("it has no absolute path"))?;
        Ok(syntax_problem(&url, &source).map(|problem| format!("SyntaxError: {problem}")))
    });
    match problem {
        Ok(None) => return 0,
        Ok(Some(problem)) => tell(environment, &problem),
        Err(error) => tell(environment, &format!("node: cannot read {}: {error}", path.display())),
    }
    1
}

/// A process that runs as Node: one isolate, which runs until nothing is left in its event loop.
struct Interpreter {
    facts: Facts,
    /// The channel to the parent.
    parent: Option<(i64, ChildIpcSerialization)>,
    environment: Environment,
    /// `script`, `eval` or `input`, as the prelude knows it.
    kind: &'static str,
    /// Path of the script, or the code itself.
    text: String,
    /// The code as an ES module.
    module: Option<ModuleSpecifier>,
    prints: bool,
    arguments: Vec<String>,
}

impl Interpreter {
    fn new(argv0: String, line: CommandLine, environment: &Environment) -> Result<Self, Refused> {
        let (kind, text, prints) = match &line.task {
            Task::Script(path) => ("script", path.clone(), false),
            Task::Eval { text, prints } => ("eval", text.clone(), *prints),
            Task::Input { prints } => ("input", standard_input()?, *prints),
            // The other tasks do not come here.
            Task::Version | Task::Help | Task::Check(_) => {
                ("eval", "process.version".to_owned(), true)
            }
        };
        let (text, module) = match kind {
            "script" => (text, None),
            _ => module_of(text, &line)?,
        };
        if prints && module.is_some() {
            return Err(Refused("--print cannot be used with an ES module".to_owned()));
        }
        // Without the host's limit, which is for functions, and this is not one.
        let environment = environment.clone().with_memory_limit(line.options.memory_limit(None));
        let facts = Facts { argv0, exec_argv: line.exec_argv, exposes_gc: line.exposes_gc };
        line.options.settle();
        Ok(Self {
            facts,
            parent: channel(),
            environment,
            kind,
            text,
            module,
            prints,
            arguments: line.arguments,
        })
    }

    fn run(self) -> i32 {
        trine_v8::start(if self.facts.exposes_gc { "--expose-gc" } else { "" });
        let bootstrap = bootstrap_options(&self.facts, self.parent);
        create_and_run_current_thread(self.main(bootstrap))
    }

    async fn main(self, bootstrap: BootstrapOptions) -> i32 {
        let folders = package_folders(&self.environment.layer_root);
        let (loader, services) = Loader::new(&folders);
        let _loading = loader.begin();
        if let Some(url) = &self.module {
            loader.provide(url.clone(), self.text.clone());
        }
        let threads = Threads::new(self.environment.clone(), folders.clone(), Mode::Thread);
        let memory = self.environment.memory_limit.map(Memory::new);
        let host = Host::new(
            self.environment.clone(),
            folders,
            loader.clone(),
            Weak::default(),
            Mode::Interpreter(self.facts.clone()),
        );
        let snapshot = Snapshot::of_process(|| Snapshot::Node);
        let create_params = memory.as_ref().map(Memory::create_params);
        let read = loader.clone();
        // A program that a guest may start is a process of its own, which may do everything.
        let permissions = permits::container(&self.environment, Path::new("/"), None);
        let started = permissions.and_then(|permissions| {
            isolate::start_worker(
                snapshot,
                loader,
                services,
                create_params,
                &threads,
                bootstrap,
                &host.environment.log,
                permissions,
            )
        });
        let mut worker = match started {
            Ok(worker) => worker,
            Err(error) => {
                tell(&self.environment, &format!("node: {error}"));
                return INTERNAL;
            }
        };
        if let Some(memory) = &memory {
            memory.watch(worker.js_runtime.v8_isolate());
        }
        let status = self.drive(&mut worker, &host, &read, &threads, memory.as_ref()).await;
        threads.stop();
        let status = match &memory {
            Some(memory) if memory.is_crossed() => {
                tell(
                    &self.environment,
                    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
                );
                OUT_OF_MEMORY
            }
            _ => status,
        };
        // The rest of the isolate goes with the process.
        exit(status)
    }

    /// Runs the code, then the event loop until it is empty and no listener fills it again.
    async fn drive(
        &self,
        worker: &mut MainWorker,
        host: &Rc<Host>,
        loader: &Loader,
        threads: &Arc<Threads>,
        memory: Option<&Arc<Memory>>,
    ) -> i32 {
        let runtime = &mut worker.js_runtime;
        {
            let state = runtime.op_state();
            let mut state = state.borrow_mut();
            state.put(host.clone());
            state.put(threads.clone());
            state.put(loader.typescript.clone());
        }
        host.watch(runtime.v8_isolate().thread_safe_handle());
        let prelude =
            match isolate::start_interpreter_prelude(runtime, host, loader.sources.clone()) {
                Ok(prelude) => prelude,
                Err(error) => {
                    tell(&self.environment, &FatalReport::default().describe(&error));
                    return INTERNAL;
                }
            };
        let failed = match self.call(worker, &prelude.interpret) {
            Ok(promise) => match run_event_loop(worker).await {
                Ok(()) if is_pending(worker, promise.as_ref()) => Some((None, NEVER_SETTLED)),
                Ok(()) => None,
                Err(error) if error.to_string().contains(NEVER_RESOLVED) => {
                    Some((None, NEVER_SETTLED))
                }
                Err(error) => Some((Some(Fatal::from(error)), 1)),
            },
            Err(fatal) => Some((Some(fatal), 1)),
        };
        if memory.is_some_and(|memory| memory.is_crossed()) {
            return OUT_OF_MEMORY;
        }
        if let Some((fatal, status)) = failed {
            let thrown = fatal.as_ref().and_then(|fatal| fatal.thrown.as_ref());
            let told = FatalReport::ask(worker, &prelude.fail, status, thrown);
            match fatal {
                Some(fatal) => tell(&self.environment, &told.explain(loader, &fatal.error)),
                None => tell(
                    &self.environment,
                    "Warning: the top-level await of the main module can no longer settle: nothing is left in the \
                     event loop that it could wait for",
                ),
            }
        }
        if let Err(error) = worker.dispatch_process_exit_event() {
            tell(&self.environment, &fatal::describe(&error));
            return if worker.exit_code() == 0 { 1 } else { worker.exit_code() };
        }
        worker.exit_code()
    }

    /// Calls the prelude's `interpret`; returns the promise that it returns for an ES module.
    fn call(
        &self,
        worker: &mut MainWorker,
        interpret: &v8::Global<v8::Function>,
    ) -> Result<Option<v8::Global<v8::Promise>>, Fatal> {
        scope!(scope, &mut worker.js_runtime);
        v8::tc_scope!(let scope, scope);
        let url = self.module.as_ref().map(ModuleSpecifier::as_str);
        let arguments = [
            text_or_undefined(scope, Some(self.kind)),
            text_or_undefined(scope, Some(&self.text)),
            text_or_undefined(scope, url),
            v8::Boolean::new(scope, self.prints).into(),
            texts(scope, &self.arguments),
        ];
        let undefined = v8::undefined(scope).into();
        let interpret = v8::Local::new(scope, interpret);
        match interpret.call(scope, undefined, &arguments) {
            Some(value) => {
                let promise = v8::Local::<'_, v8::Promise>::try_from(value).ok();
                Ok(promise.map(|promise| v8::Global::new(scope, promise)))
            }
            None => {
                // A rejection that nobody has handled stops the script where it stands; its value has been noted.
                let thrown = scope.exception().filter(|_| !scope.has_terminated());
                let exception = thrown.unwrap_or(undefined);
                let error = exception_to_err(scope, exception, false, true).into();
                Err(Fatal { error, thrown: thrown.map(|thrown| v8::Global::new(scope, thrown)) })
            }
        }
    }
}

/// Runs the event loop until nothing is left in it, and `beforeExit` has brought nothing new.
async fn run_event_loop(worker: &mut MainWorker) -> Result<(), CoreError> {
    loop {
        worker.run_event_loop(false).await?;
        if !worker.dispatch_process_beforeexit_event()? {
            return Ok(());
        }
    }
}

fn is_pending(worker: &mut MainWorker, promise: Option<&v8::Global<v8::Promise>>) -> bool {
    let Some(promise) = promise else { return false };
    scope!(scope, &mut worker.js_runtime);
    v8::Local::new(scope, promise).state() == v8::PromiseState::Pending
}

/// Reads the code from standard input.
fn standard_input() -> Result<String, Refused> {
    let mut input = io::stdin();
    if input.is_terminal() {
        return Err(Refused(
            "this runtime has no interactive mode; name a script, or give code with -e".to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    // A closed standard input is an empty one.
    let _ = input.read_to_end(&mut bytes);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns code that comes from no file, as JavaScript, and its URL as a module, if it is one.
fn module_of(
    text: String,
    line: &CommandLine,
) -> Result<(String, Option<ModuleSpecifier>), Refused> {
    let folder = env::current_dir()
        .map_err(|error| Refused(format!("the working directory is gone: {error}")))?;
    let url = |name: &str| {
        ModuleSpecifier::from_file_path(folder.join(name))
            .map_err(|()| Refused("the working directory has no absolute path".to_owned()))
    };
    let text = match line.input_is_typed {
        true => {
            let is_module = line.input_is_module == Some(true);
            transpile_text(&url("[eval1].ts")?, &text, is_module)
                .map_err(|error| Refused(error.to_string()))?
        }
        false => text,
    };
    let name = url("[eval1]")?;
    let is_module = line.input_is_module.unwrap_or_else(|| is_module(&name, &text));
    Ok((text, is_module.then_some(name)))
}

fn bootstrap_options(
    facts: &Facts,
    parent: Option<(i64, ChildIpcSerialization)>,
) -> BootstrapOptions {
    BootstrapOptions {
        argv0: Some(facts.argv0.clone()),
        node_ipc_init: parent,
        node_cluster_unique_id: env::var("NODE_UNIQUE_ID").ok(),
        node_cluster_sched_policy: env::var("NODE_CLUSTER_SCHED_POLICY").ok(),
        ..isolate::bootstrap_options()
    }
}

/// Returns the channel to the parent that `fork` has made. Its variables are for this process only.
fn channel() -> Option<(i64, ChildIpcSerialization)> {
    let descriptor = env::var("NODE_CHANNEL_FD").ok()?;
    let form = env::var("NODE_CHANNEL_SERIALIZATION_MODE").ok().and_then(|form| form.parse().ok());
    // Deno would hold it open for as long as the process lives.
    let others = env::var(DENO_EXTRA_STDIO_FDS_ENV_VAR).map(|all| {
        let others: Vec<&str> = all.split(',').filter(|other| *other != descriptor).collect();
        others.join(",")
    });
    // SAFETY: the process has one thread that reads the environment, this one: V8's threads, the only others, do not.
    unsafe {
        env::remove_var("NODE_CHANNEL_FD");
        env::remove_var("NODE_CHANNEL_SERIALIZATION_MODE");
        if let Ok(others) = others {
            env::set_var(DENO_EXTRA_STDIO_FDS_ENV_VAR, others);
        }
    }
    Some((descriptor.parse().ok()?, form.unwrap_or(ChildIpcSerialization::Json)))
}
