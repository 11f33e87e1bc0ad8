//! From files to functions: middlewares first, because their `init` is to see the interpreter before the handler does.

use super::{Member, Middleware, Pipeline, Plan, Step, named};
use crate::heap::Heap;
use std::{cell::Cell, path::Path, rc::Rc, sync::Arc};
use trine_engine::{
    Engine, Error, ErrorKind, Exports, Form, FunctionId, Hook, Interface, Interrupter, Invocation,
    Payload, Result, Wanted, nearest,
};

impl Pipeline {
    /// Loads what a plan names. `heap` gives the instance of an engine.
    ///
    /// # Errors
    /// What starting an engine, loading a module or an `init` or `wrap` hook reports; a middleware without hooks; a
    /// `wrap` around a handler of another language. A middleware's errors carry its name.
    pub(crate) async fn load(
        plan: &Plan,
        heap: impl Fn(&Arc<dyn Engine>) -> Result<Rc<Heap>>,
    ) -> Result<Self> {
        let mut loading = Loading { heaps: Vec::new(), heap };
        let mut members = Vec::new();
        let mut wraps = Vec::new();
        for middleware in &plan.middlewares {
            let name: Rc<str> = middleware.name.as_str().into();
            let loaded = loading.middleware(middleware, &name, plan).await;
            let loaded = loaded.map_err(|error| hinted(error, &middleware.engine));
            let (member, wrap) = loaded.map_err(|error| attributed(error, middleware))?;
            members.push(member);
            wraps.extend(wrap.map(|wrap| (wrap, middleware)));
        }
        let handler = loading.handler(plan).await;
        let (mut handler, interface) =
            handler.map_err(|error| hinted(error, &plan.handler.engine))?;
        for (wrap, middleware) in wraps.into_iter().rev() {
            let wrapped = loading.heaps[handler.heap].instance().wrap(wrap, handler.function).await;
            handler.function = wrapped.map_err(|error| attributed(error, middleware))?;
        }
        let info = plan.handler.engine.info();
        let interrupters: Vec<Interrupter> =
            loading.heaps.iter().map(|heap| heap.interrupter()).collect();
        Ok(Self {
            interrupters: interrupters.into(),
            handler,
            interface,
            keeps_thrown: members.iter().any(|member| member.error.is_some()),
            // A member without any of these is done once it is loaded.
            members: members.into_iter().filter(Member::takes_part).collect(),
            order: plan.order,
            dialect: info.error_dialect,
            unlimited: loading
                .heaps
                .iter()
                .any(|heap| !heap.engine().info().capabilities.memory_limit),
            heaps: loading.heaps,
            current: Cell::new(0),
        })
    }
}

/// Returns the error with what its language knows to do about it.
fn hinted(error: Error, engine: &Arc<dyn Engine>) -> Error {
    let hint = engine.info().hint(&error);
    error.with_hint(hint)
}

impl Member {
    fn takes_part(&self) -> bool {
        self.before.is_some()
            || self.after.is_some()
            || self.error.is_some()
            || self.timeout.is_some()
    }
}

struct Loading<H> {
    heaps: Vec<Rc<Heap>>,
    heap: H,
}

impl<H: Fn(&Arc<dyn Engine>) -> Result<Rc<Heap>>> Loading<H> {
    /// Returns the position of an engine's heap among those of the pipeline.
    fn position(&mut self, engine: &Arc<dyn Engine>) -> Result<usize> {
        let id = engine.info().id;
        if let Some(at) = self.heaps.iter().position(|heap| heap.id() == id) {
            return Ok(at);
        }
        self.heaps.push((self.heap)(engine)?);
        Ok(self.heaps.len() - 1)
    }

    async fn handler(&mut self, plan: &Plan) -> Result<(Step, Interface)> {
        let heap = self.position(&plan.handler.engine)?;
        let module = &plan.handler.module;
        let exports = self.heaps[heap].instance().load(module).await?;
        let (_, function) = *exports.functions.first().ok_or_else(|| {
            Error::internal(format!("{} was loaded without a function", module.name))
        })?;
        Ok((Step { heap, function, takes_text: false }, exports.interface))
    }

    /// Loads a middleware and runs its `init`. Also returns its `wrap`, if it has one.
    async fn middleware(
        &mut self,
        middleware: &Middleware,
        name: &Rc<str>,
        plan: &Plan,
    ) -> Result<(Member, Option<FunctionId>)> {
        let at = self.position(&middleware.engine)?;
        let heap = &self.heaps[at];
        let exports = heap.instance().load(&middleware.module).await?;
        check(middleware, &exports)?;
        let takes_text = middleware.module.wanted == Wanted::Program;
        let step =
            |hook| exports.hook(hook).map(|function| Step { heap: at, function, takes_text });
        let wrap = exports.hook(Hook::Wrap);
        if wrap.is_some() && middleware.engine.info().id != plan.handler.engine.info().id {
            return Err(other_language(middleware, plan));
        }
        let key = heap.key(&middleware.module);
        if let Some(init) = exports.hook(Hook::Init)
            && !heap.follows()
        {
            let mut prepared = heap.prepared().await;
            if !prepared.contains(&key) {
                let invocation = Rc::new(Invocation::json(""));
                invocation.exchange.enter(Some(Hook::Init));
                heap.instance().call(init, Payload::Nothing, Form::Native, &invocation).await?;
                // Not before: a middleware that could not prepare must not be taken for one that has.
                prepared.insert(key.clone());
            }
        }
        if let Some(shutdown) = exports.hook(Hook::Shutdown)
            && !heap.follows()
        {
            heap.at_end(key, name, shutdown);
        }
        let member = Member {
            name: name.clone(),
            before: step(Hook::Before),
            after: step(Hook::After),
            error: step(Hook::Error),
            timeout: step(Hook::Timeout),
        };
        Ok((member, wrap))
    }
}

/// Returns the hooks that a middleware exports, in the order of [`Hook::ALL`]. Runs its top-level code but no hook.
///
/// # Errors
/// As [`Pipeline::load`].
pub(crate) async fn inspect(middleware: &Middleware, heap: &Heap) -> Result<Vec<Hook>> {
    let exports = heap.instance().load(&middleware.module).await;
    let exports = exports.and_then(|exports| check(middleware, &exports).map(|()| exports));
    let exports = exports.map_err(|error| attributed(error, middleware))?;
    let has = |hook: &Hook| exports.hook(*hook).is_some();
    Ok(Hook::ALL.into_iter().filter(has).collect())
}

fn check(middleware: &Middleware, exports: &Exports) -> Result<()> {
    if !exports.functions.is_empty() {
        return Ok(());
    }
    let file = shown(&middleware.module.path, &middleware.module.root);
    let names: Vec<&str> = Hook::ALL.iter().map(|hook| hook.name()).collect();
    let mut message = format!("{file} has no hook: it exports none of {}", names.join(", "));
    if !exports.others.is_empty() {
        message.push_str(&format!("; it exports {}", exports.others.join(", ")));
    }
    let near =
        |other: &String| nearest(other, names.iter().copied()).map(|name| (name, other.clone()));
    if let Some((name, other)) = exports.others.iter().find_map(near) {
        message.push_str(&format!("\nis '{other}' meant to be '{name}'?"));
    }
    Err(Error::new(ErrorKind::HandlerNotFound, message))
}

fn other_language(middleware: &Middleware, plan: &Plan) -> Error {
    let handler = &plan.handler;
    let message = format!(
        "{} is {} and exports wrap, but the handler {} is {}: wrap works only around handlers of its own language; \
         use before and after instead",
        shown(&middleware.module.path, &middleware.module.root),
        middleware.engine.info().name,
        shown(&handler.module.path, &handler.module.root),
        handler.engine.info().name,
    );
    Error::new(ErrorKind::Unsupported, message)
}

/// Returns the path of a file as messages show it: without the folder that it is found from.
fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Returns a middleware's error while loading, under its name.
fn attributed(error: Error, middleware: &Middleware) -> Error {
    named(error, &middleware.name)
}
