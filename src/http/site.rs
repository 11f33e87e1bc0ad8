//! The site that a server serves: its functions and the routes that lead to them.

use super::{
    auth::Auth,
    error::ServeError,
    files::StaticFolder,
    format::EventFormat,
    route::{Destination, Route, Routes},
    route_file::{self, Declared, Fault, Placed, ROUTE_FILE},
    triggers::Trigger,
};
use crate::{
    engines::Registry,
    handler::{
        Discovered, Located, PassedOver, SearchPaths, absent, discover, locate, locate_file,
        no_function,
    },
    pipeline::{Middleware, MiddlewareNames, Order, Plan, middleware_folders},
    worker::WorkerOptions,
};
use http::Method;
use std::{
    borrow::Cow,
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use trine_engine::{
    Engine, Error, ErrorKind, HANDLER_NAMES, Interface, Permissions, PlaceSettings, Presence,
    Wanted, alternatives, nearest_written,
};

/// A function and the name under which it is served.
#[derive(Debug, Clone)]
pub struct ServedFunction {
    /// Its name, which is its URL path without the first slash.
    pub name: String,
    /// Its file and engine.
    pub located: Located,
    /// The middlewares around it; see [`Site::surround`].
    pub middlewares: Vec<Middleware>,
    /// The order of their `after` hooks.
    pub order: Order,
    /// The reason why it cannot be loaded as its files are now, where a look at them has shown one. It is served all
    /// the same: its author may fix them.
    pub problem: Option<Arc<Error>>,
    /// Number of its own threads, if its folder sets it; see [`ServeOptions::threads`](super::ServeOptions::threads).
    pub threads: Option<usize>,
    /// The form of its events and results, if its folder sets it; see
    /// [`ServeOptions::event_format`](super::ServeOptions::event_format).
    pub event_format: Option<EventFormat>,
    /// Whose tokens let requests to it in, if its folder asks for tokens.
    pub auth: Option<Arc<Auth>>,
    /// The time limit of its invocations, if its folder sets it; see [`ServeOptions::timeout`](super::ServeOptions::timeout).
    pub timeout: Option<Duration>,
    /// Its limit of invocations in flight, if its folder sets it; see
    /// [`ServeOptions::concurrency`](super::ServeOptions::concurrency).
    pub concurrency: Option<usize>,
    /// The memory that its interpreter may take, in bytes, if its folder sets it. Functions that share an interpreter have
    /// the same.
    pub memory: Option<u64>,
    /// What it may do, if its folder sets it, in the place of what the server lets functions do. Functions that share an
    /// interpreter have the same.
    pub permissions: Option<Arc<Permissions>>,
    /// Environment variables that it sees on top of the process's. Functions that share an environment have the same.
    pub variables: Vec<(String, String)>,
    /// The middlewares that its folder asks for, in the place of those that the server asks for.
    pub asked: Option<Asked>,
    /// The name that its invocations carry, where it is not the one under which it is served; see [`Site::introduce`].
    pub function_name: Option<String>,
    /// The ARN that its invocations carry.
    pub arn: Option<String>,
}

impl ServedFunction {
    /// Makes a function without middlewares.
    pub fn new(name: impl Into<String>, located: Located) -> Self {
        Self {
            name: name.into(),
            located,
            middlewares: Vec::new(),
            order: Order::default(),
            problem: None,
            threads: None,
            event_format: None,
            auth: None,
            timeout: None,
            concurrency: None,
            memory: None,
            permissions: None,
            variables: Vec::new(),
            asked: None,
            function_name: None,
            arn: None,
        }
    }

    /// Makes a function whose file has been looked at ([`trine_engine::Engine::check`]).
    pub fn looked_at(name: impl Into<String>, located: Located) -> Self {
        let module = &located.module;
        let problem = match located.engine.check(module) {
            Ok(Presence::Possible) => None,
            Ok(Presence::Absent { others }) => {
                let message = match module.wanted.names().as_slice() {
                    [name] => {
                        let near = nearest_written(module, name, &others);
                        let near = near.map(|near| format!("; did you mean '{near}'?"));
                        format!("the file {}{}", absent(name, &others), near.unwrap_or_default())
                    }
                    _ => format!(
                        "the file exports no function '{}'{}",
                        HANDLER_NAMES[0],
                        alternatives(module, None, &others)
                    ),
                };
                Some(Error::new(ErrorKind::HandlerNotFound, message))
            }
            Ok(Presence::NoFunction { name, kind }) => {
                let message = format!("the file {}", no_function(&name, &kind));
                Some(Error::new(ErrorKind::HandlerNotFound, message))
            }
            Err(error) => Some(error),
        };
        Self { problem: problem.map(Arc::new), ..Self::new(name, located) }
    }

    /// Returns the place whose settings its guests get ([`PlaceSettings`]): its file, where functions have instances of
    /// their own, else its root.
    pub(super) fn place(&self) -> &Path {
        match self.located.engine.info().instance_per_function {
            true => &self.located.module.path,
            false => &self.located.module.root,
        }
    }

    /// Returns the plan of what runs for its invocations.
    pub fn plan(&self) -> Plan {
        let (handler, middlewares) = (self.located.clone(), self.middlewares.clone());
        Plan { handler, middlewares, order: self.order }
    }

    /// Whether it runs on the process's main thread alone: a language in it does, its own or a middleware's. The whole
    /// of it does then, because what hooks and handler share stays on one thread.
    pub fn on_main_thread(&self) -> bool {
        self.engines().any(|engine| engine.info().on_main_thread)
    }

    /// Returns the engines of its handler and of its middlewares.
    pub fn engines(&self) -> impl Iterator<Item = &Arc<dyn Engine>> {
        let middlewares = self.middlewares.iter().map(|middleware| &middleware.engine);
        std::iter::once(&self.located.engine).chain(middlewares)
    }
}

/// Middlewares that a folder's `trine.toml` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Their names.
    pub names: MiddlewareNames,
    /// The line that asks for them, counted from 1.
    pub line: usize,
}

/// The functions of a server and the routes that lead to them.
#[derive(Debug, Clone)]
pub struct Site {
    functions: Vec<ServedFunction>,
    routes: Routes,
    /// The folder that is served.
    folder: Option<PathBuf>,
    passed_over: Vec<PassedOver>,
    /// Folders of files, those with the longest paths first.
    folders: Vec<Arc<StaticFolder>>,
    triggers: Vec<Trigger>,
}

impl Site {
    /// Makes a site of functions by their names; a single one has the whole server to itself.
    pub fn new(functions: Vec<ServedFunction>) -> Self {
        let routes = Routes::new(named(&functions, functions.len()));
        let (folders, triggers, passed_over) = Default::default();
        Self { functions, routes, folder: None, passed_over, folders, triggers }
    }

    /// Makes a site of a path as a user writes it: a folder (its functions, and the routes of its `trine.toml`), a
    /// file, or a file with an export (`app.py:get`).
    ///
    /// # Errors
    /// [`ServeError::NothingToServe`], [`ServeError::Function`] or [`ServeError::Routes`].
    pub fn open(path: &str, registry: &Registry) -> Result<Self, ServeError> {
        let place = Path::new(path);
        if place.is_dir() {
            return Self::folder(place, registry);
        }
        let (file, export) = match path.rsplit_once(':') {
            Some((file, export)) if !place.is_file() && !export.contains('/') => (file, export),
            _ => (path, ""),
        };
        let file = std::path::absolute(file).unwrap_or_else(|_| PathBuf::from(file));
        let folder = file.parent().unwrap_or(Path::new("/"));
        let search = SearchPaths::new(folder);
        let located = locate_file(&file, export, &search, registry).or_else(|first| {
            let is_missing = !file.exists() && first.message().starts_with("Cannot find ");
            let first = match is_missing {
                true => ServeError::NothingToServe(nothing_at(path, &file, &first)),
                false => first.into(),
            };
            let extension = file.extension().and_then(|extension| extension.to_str());
            let is_known = |extension| registry.by_extension(extension).is_some();
            if !export.is_empty() {
                // `shop.wsgi:application`: a module's name, from here, whose folders are between dots.
                let found = locate(path, &SearchPaths::new("."), registry);
                return found.map_err(|_| first);
            }
            if extension.is_some_and(is_known) {
                return Err(first);
            }
            // `src/app.get`: Lambda's form is not a path, yet people try it.
            let text = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let found = locate(text, &search, registry)
                // What can be imported is named from here, whatever folders its name seems to have.
                .or_else(|_| locate(path, &SearchPaths::new("."), registry));
            match found {
                // A file without an extension may be a script, or anything else that people keep in files.
                Ok(located) if located.module.path == file && !may_have(&located) => Err(first),
                Ok(located) => Ok(located),
                Err(_) => Err(first),
            }
        })?;
        let (name, root) = (located.module.name.clone(), located.module.root.clone());
        Ok(Self::new(vec![ServedFunction::looked_at(name, located)]).of(&root))
    }

    /// Returns the languages for a path that is to be opened: those of `registry`, and, where it is a folder, the plug-ins
    /// that its `trine.toml` names.
    ///
    /// # Errors
    /// [`ServeError::Routes`] when one of them cannot be loaded, with the line that names it.
    pub fn languages<'r>(
        path: &str,
        registry: &'r Registry,
    ) -> Result<Cow<'r, Registry>, ServeError> {
        let folder = Path::new(path);
        let mut registry = Cow::Borrowed(registry);
        for Placed { value, line } in route_file::engines(folder) {
            let base = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            registry.to_mut().plug_in(&[value], &base).map_err(|error| {
                fault_in(folder, &Fault { line, message: error.message().to_owned() }, 0)
            })?;
        }
        Ok(registry)
    }

    /// Makes a site of the functions of a folder and what its `trine.toml` declares.
    ///
    /// # Errors
    /// As [`Site::open`].
    pub fn folder(folder: &Path, registry: &Registry) -> Result<Self, ServeError> {
        let mut faults = Vec::new();
        let site = Self::folder_with_faults(folder, registry, &mut faults);
        match fault_of(folder, &faults) {
            Some(fault) => Err(fault),
            None => site,
        }
    }

    /// Makes a site as [`Site::folder`] does, of what of its `trine.toml` is right; what is wrong there is noted.
    ///
    /// # Errors
    /// Where the folder cannot be served whatever that file says.
    pub(super) fn folder_with_faults(
        folder: &Path,
        registry: &Registry,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, ServeError> {
        let found = discover(folder, registry)?;
        let served = |Discovered { name, located, problem }| ServedFunction {
            problem,
            ..ServedFunction::new(name, located)
        };
        let mut functions: Vec<ServedFunction> = found.functions.into_iter().map(served).collect();
        let declared = route_file::read(folder, &mut functions, registry, faults);
        let Declared { mut routes, mut folders, triggers, discovered } = declared;
        let mut passed_over = found.passed_over;
        passed_over.retain(|passed| {
            let path = std::fs::canonicalize(folder.join(&passed.path));
            !path.is_ok_and(|path| folders.iter().any(|files| path.starts_with(&files.folder)))
        });
        if functions.is_empty() && folders.is_empty() {
            return Err(ServeError::NothingToServe(no_functions(folder, registry, &passed_over)));
        }
        // Beside its name, a single function answers only to the routes that are declared.
        if routes.is_empty() && folders.is_empty() {
            routes = named(&functions, discovered);
        } else {
            let functions = functions.iter().take(discovered).enumerate();
            routes.extend(functions.map(|(index, function)| Route::named(&function.name, index)));
        }
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.segments.len()));
        let folders = folders.into_iter().map(Arc::new).collect();
        let routes = Routes::new(routes);
        let site = Self { functions, routes, folder: None, passed_over, folders, triggers };
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Ok(site.of(&folder))
    }

    /// Puts middlewares around every function: those that are asked for, or that its `trine.toml` asks for in their place.
    /// They are found in `middlewares` of the layers, of a function's own folder, and of the folder that is served.
    ///
    /// # Errors
    /// As [`Plan::find`].
    pub fn surround(
        mut self,
        asked: &MiddlewareNames,
        layer_root: &Path,
        registry: &Registry,
    ) -> Result<Self, ServeError> {
        match self.surround_each(asked, layer_root, registry).into_iter().next() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Does the same for each function by itself. Returns what went wrong, and leaves nothing around those functions.
    pub(super) fn surround_each(
        &mut self,
        asked: &MiddlewareNames,
        layer_root: &Path,
        registry: &Registry,
    ) -> Vec<ServeError> {
        let mut looked_at: HashMap<PathBuf, Option<Arc<Error>>> = HashMap::new();
        let mut errors = Vec::new();
        for function in &mut self.functions {
            let root = &function.located.module.root;
            let served = self.folder.as_deref().unwrap_or(root);
            let folders = middleware_folders(layer_root, root, served);
            let own = function.asked.as_ref();
            let names = own.map_or(asked, |own| &own.names);
            let plan = match Plan::find(function.located.clone(), names, &folders, registry) {
                Ok(plan) => plan,
                Err(error) => {
                    errors.push(match own {
                        Some(own) => {
                            let message = error.message().to_owned();
                            fault_in(served, &Fault { line: own.line, message }, 0)
                        }
                        None => error.into(),
                    });
                    continue;
                }
            };
            (function.middlewares, function.order) = (plan.middlewares, plan.order);
            // A program of the earlier runtime tells its language by its first line, which a look at it does not read.
            let hooks = |middleware: &&Middleware| middleware.module.wanted == Wanted::Hooks;
            for Middleware { engine, module, .. } in function.middlewares.iter().filter(hooks) {
                let known = looked_at.entry(module.path.clone());
                let problem = known.or_insert_with(|| engine.check(module).err().map(Arc::new));
                function.problem = function.problem.take().or_else(|| problem.clone());
            }
        }
        errors
    }

    /// Has functions called by this interface, where it is given and nothing else is said of theirs. Of several functions
    /// those whose languages have it.
    ///
    /// # Errors
    /// When the only function's language has none such.
    pub fn called_by(mut self, interface: Option<Interface>) -> Result<Self, ServeError> {
        let Some(interface) = interface else { return Ok(self) };
        let is_alone = self.functions.len() == 1;
        for function in &mut self.functions {
            if function.located.module.interface.is_none() {
                let set = function.located.set_interface(interface);
                set.or_else(|error| if is_alone { Err(error) } else { Ok(()) })?;
            }
        }
        Ok(self)
    }

    /// Sets what invocations tell about their functions: a single one has the process's name, several have their own;
    /// `arn` makes an ARN of a name.
    pub fn introduce(mut self, process_name: Option<&str>, arn: impl Fn(&str) -> String) -> Self {
        if let [only] = self.functions.as_mut_slice() {
            only.function_name = process_name.map(str::to_owned);
        }
        for function in &mut self.functions {
            function.arn = Some(arn(function.function_name.as_deref().unwrap_or(&function.name)));
        }
        self
    }

    /// Returns the options of workers with what this site's functions get on top of what all get.
    pub(super) fn equip(&self, worker: &WorkerOptions) -> WorkerOptions {
        let mut places: Vec<PlaceSettings> = Vec::new();
        for function in &self.functions {
            let (engine, place) = (function.located.engine.info().id, function.place());
            let known = places.iter().any(|known| known.engine == engine && known.place == place);
            let has_any = !function.variables.is_empty()
                || function.memory.is_some()
                || function.permissions.is_some();
            if !known && has_any {
                places.push(PlaceSettings {
                    engine,
                    place: place.to_owned(),
                    variables: function.variables.as_slice().into(),
                    memory_limit: function.memory,
                    permissions: function.permissions.clone(),
                });
            }
        }
        let environment = worker.environment.clone().with_places(places);
        WorkerOptions { environment, ..worker.clone() }
    }

    /// Makes a site of what was declared elsewhere than in a `trine.toml`.
    pub(super) fn declared(
        functions: Vec<ServedFunction>,
        routes: Routes,
        folder: &Path,
        passed_over: Vec<PassedOver>,
    ) -> Self {
        let (folders, triggers) = Default::default();
        Self { functions, routes, folder: Some(folder.to_owned()), passed_over, folders, triggers }
    }

    fn of(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// Returns the folder that is served, else that of its function.
    pub fn root(&self) -> &Path {
        let of_function = || self.functions.first().map(|only| only.located.module.root.as_path());
        self.folder.as_deref().or_else(of_function).unwrap_or(Path::new("/"))
    }

    /// Returns the functions.
    pub fn functions(&self) -> &[ServedFunction] {
        &self.functions
    }

    /// Returns the folder that is served, or that of the served file.
    pub fn folder_served(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Returns what else the served folder holds that may have been meant as a function.
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// Returns every route with its function, the most specific first.
    pub fn routes(&self) -> impl Iterator<Item = (&Route, &ServedFunction)> {
        self.routes.iter().filter_map(|route| Some((route, self.functions.get(route.function)?)))
    }

    /// Returns what invokes functions beside requests.
    pub fn triggers(&self) -> &[Trigger] {
        &self.triggers
    }

    /// Returns the paths below which files of folders are served, and the folders.
    pub fn folders(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.folders.iter().map(|folder| (folder.path.as_str(), folder.folder.as_path()))
    }

    pub(super) fn table(&self) -> &Routes {
        &self.routes
    }

    /// Returns the folder of files that answers a request: where the path below which its files are served says more than
    /// the beginning of the route that the request has, or there is no route for it.
    pub(super) fn folder_for(
        &self,
        method: &Method,
        path: &str,
        destination: &Destination<'_>,
    ) -> Option<&Arc<StaticFolder>> {
        let folder = self.folders.iter().find(|folder| folder.below(path).is_some())?;
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let is_its = match destination {
            Destination::Route(route, _) => folder.segments.len() > route.leading_texts().count(),
            Destination::OtherMethods(_) => reads,
            Destination::Nowhere => true,
        };
        is_its.then_some(folder)
    }
}

/// Returns the first of the faults in a folder's `trine.toml`, and how many more there are.
pub(super) fn fault_of(folder: &Path, faults: &[Fault]) -> Option<ServeError> {
    faults.first().map(|first| fault_in(folder, first, faults.len() - 1))
}

/// Returns the error about a fault of a folder's `trine.toml`, beside which there are `others`.
fn fault_in(folder: &Path, fault: &Fault, others: usize) -> ServeError {
    let mut message = fault.message.clone();
    if others > 0 {
        let faults = if others == 1 { "fault" } else { "faults" };
        message.push_str(&format!("\n{others} more {faults}: 'trine check' lists all of them"));
    }
    ServeError::Routes { file: folder.join(ROUTE_FILE), line: fault.line, message }
}

/// Returns the message about a folder in which there is nothing to serve.
fn no_functions(folder: &Path, registry: &Registry, passed_over: &[PassedOver]) -> String {
    let extensions: Vec<_> =
        registry.extensions().map(|(extension, _)| format!(".{extension}")).collect();
    let first = extensions.first().map_or("", String::as_str);
    let mut message = format!(
        "the folder '{}' holds no function: put a file such as hello{first} or hello/handler{first} there (this build \
         runs {})",
        folder.display(),
        extensions.join(" "),
    );
    for PassedOver { path, why } in passed_over {
        message.push_str(&format!("\n  {path}: {why}"));
    }
    message
}

/// Whether a file parses and may have the function that is sought in it.
fn may_have(located: &Located) -> bool {
    matches!(located.engine.check(&located.module), Ok(Presence::Possible))
}

/// Returns the message about a path at which there is neither a folder nor a file: the outcome of the search for a
/// file, and the nearest folder where no file is near.
fn nothing_at(path: &str, file: &Path, searched: &Error) -> String {
    let mut message = format!("there is no folder and no file '{path}'");
    let folder = file.parent().unwrap_or(Path::new("/"));
    let wanted = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // The way to it, as its user has written it.
    let written = path.trim_end_matches('/').split(':').next().unwrap_or_default();
    let way = written.strip_suffix(wanted).unwrap_or_default();
    if let Some((_, rest)) = searched.message().split_once('\n') {
        let absolute = format!("{}/", folder.display());
        message.push_str(&format!("\n{}", rest.replace(&absolute, way)));
    }
    let beside = Some(folder).filter(|_| !message.contains("did you mean "));
    let entries = beside.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let names: Vec<String> =
        folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    if let Some(near) = trine_engine::nearest(wanted, &names) {
        message.push_str(&format!("\ndid you mean the folder '{way}{near}'?"));
    }
    message
}

fn named(functions: &[ServedFunction], count: usize) -> Vec<Route> {
    if functions.len() == 1 {
        return vec![Route::everything(0)];
    }
    let functions = functions.iter().take(count).enumerate();
    functions.map(|(index, function)| Route::named(&function.name, index)).collect()
}
