//! `trine middlewares`: the middlewares around a function, in their order.

use super::{fail, print, settings, target};
use crate::{
    diagnostic::{exit_code, explain},
    engines::Registry,
    pipeline::{Middleware, Plan, inspect},
    telemetry::ErrorSink,
    worker::Worker,
};
use clap::Args;
use serde_json::json;
use std::process::ExitCode;
use tokio::{runtime::Builder, task::LocalSet};
use trine_engine::{Error, Hook};

/// Show the middlewares around a function: order, language, hooks, and where each was found.
///
/// Runs the top-level code of the middlewares, and none of their hooks.
#[derive(Debug, Args)]
pub(super) struct Middlewares {
    /// The handler: app.handler, src/app.py:handler or a file. Without it, _HANDLER or SCW_HANDLER_PATH.
    handler: Option<String>,
    #[command(flatten)]
    middleware_flag: target::MiddlewareFlag,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A middleware and the hooks that its file exports.
struct Row<'p> {
    middleware: &'p Middleware,
    hooks: Vec<Hook>,
}

impl Middlewares {
    pub(super) fn run(self, registry: &Registry) -> ExitCode {
        match self.show(registry) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Setting(error)) => fail(&format!("error: {error:#}"), 2),
            Err(Failure::Function(error)) => fail(&explain(&error), exit_code(error.kind())),
        }
    }

    fn show(&self, registry: &Registry) -> Result<(), Failure> {
        let mut settings = settings()?;
        self.middleware_flag.apply_to(&mut settings);
        let located = target::locate(self.handler.as_deref(), &mut settings, registry)?;
        let plan = settings.plan(located, registry)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let worker = Worker::new(settings.sequential_worker(settings.log(ErrorSink)));
        let rows = LocalSet::new().block_on(&runtime, async {
            let mut rows = Vec::new();
            for middleware in &plan.middlewares {
                let heap = worker.heap(&middleware.engine, plan.owner(&middleware.engine))?;
                rows.push(Row { middleware, hooks: inspect(middleware, &heap).await? });
            }
            worker.shutdown().await;
            Ok::<_, Error>(rows)
        })?;
        if self.json {
            print_json(&plan, &rows);
        } else {
            print_table(&plan, &rows);
        }
        Ok(())
    }
}

fn print_json(plan: &Plan, rows: &[Row<'_>]) {
    let middlewares: Vec<_> = rows
        .iter()
        .map(|Row { middleware, hooks }| {
            json!({
                "name": middleware.name,
                "engine": middleware.engine.info().id,
                "hooks": hooks.iter().map(|hook| hook.name()).collect::<Vec<_>>(),
                "file": middleware.module.path,
            })
        })
        .collect();
    let handler = json!({
        "engine": plan.handler.engine.info().id,
        "file": plan.handler.module.path,
    });
    let shown = json!({
        "handler": handler,
        "order": plan.order.to_string(),
        "middlewares": middlewares,
    });
    print(format_args!("{shown:#}"));
}

fn print_table(plan: &Plan, rows: &[Row<'_>]) {
    let handler = &plan.handler;
    let function = format!("{} ({})", handler.module.path.display(), handler.engine.info().name);
    if rows.is_empty() {
        let none = "none is named, or the layers hold none for *";
        return print(format_args!("No middleware is around {function}: {none}."));
    }
    print(format_args!("Around {function}, {} order:\n", plan.order));
    let mut lines = vec![["", "MIDDLEWARE", "LANGUAGE", "HOOKS", "FILE"].map(str::to_owned)];
    for (at, Row { middleware, hooks }) in rows.iter().enumerate() {
        let hooks: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
        lines.push([
            (at + 1).to_string(),
            middleware.name.clone(),
            middleware.engine.info().name.to_owned(),
            hooks.join(", "),
            middleware.module.path.display().to_string(),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..4).map(|column| width(column).unwrap_or(0)).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        print(format_args!("  {}  {}", cells.collect::<Vec<_>>().join("  "), line[4]));
    }
}

/// The reason why nothing can be shown.
enum Failure {
    Setting(anyhow::Error),
    Function(Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Setting(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Setting(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Function(error)
    }
}
