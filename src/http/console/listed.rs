//! The functions of a server as the page lists them.

use super::{Console, Watch};
use crate::http::{ServeOptions, ServedFunction, Site};
use http::Method;
use serde_json::{Value, json};
use std::path::Path;

impl Console {
    /// Returns the functions, and what there is to know of their server.
    pub(super) fn functions(&self, site: &Site, options: &ServeOptions) -> Value {
        let functions = site.functions().iter().enumerate();
        let functions: Vec<Value> = functions
            .map(|(index, function)| listed(index, function, site, options, &self.watch))
            .collect();
        json!({
            "generation": self.options.generation,
            "isDevelopment": self.options.is_development,
            "version": env!("CARGO_PKG_VERSION"),
            "folder": site.root().display().to_string(),
            "functions": functions,
        })
    }
}

fn listed(
    index: usize,
    function: &ServedFunction,
    site: &Site,
    options: &ServeOptions,
    watch: &Watch,
) -> Value {
    let (health, problem, hooks) = watch.known(index);
    let routes = site.routes().filter(|(route, _)| route.function == index);
    let routes: Vec<Value> = routes
        .map(|(route, _)| {
            let method = route.method.as_ref().map_or("ANY", Method::as_str);
            json!({"method": method, "path": route.path})
        })
        .collect();
    let middlewares: Vec<Value> = function
        .middlewares
        .iter()
        .map(|middleware| {
            json!({
                "name": middleware.name,
                "engine": middleware.engine.info().id,
                "file": relative(&middleware.module.path, site.root()),
                "hooks": hooks.get(&middleware.name),
            })
        })
        .collect();
    let info = function.located.engine.info();
    let timeout = function.timeout.or(options.timeout);
    json!({
        "name": function.name,
        "routes": routes,
        "file": relative(&function.located.module.path, site.root()),
        "handler": function.located.handler(),
        "engine": {"id": info.id, "name": info.name, "version": info.version},
        "format": options.format_of(function).name(),
        "middlewares": middlewares,
        "order": function.order.to_string(),
        "limits": {
            "timeoutMs": timeout.map(|limit| limit.as_secs_f64() * 1000.0),
            "memory": function.memory,
            "concurrency": function.concurrency.unwrap_or(options.concurrency),
        },
        "asksForTokens": function.auth.is_some(),
        "health": health,
        "problem": problem,
    })
}

/// Returns a path as people see it from the served folder. Not every path is a text in Unicode.
fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
