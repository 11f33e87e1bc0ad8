//! Running one combination: a task root, a thread of its own, all invocations, the end, then the log.

use super::{
    super::{
        case::{Script, Step},
        run::{CapturingSink, block_on, check, check_log, environment, on_a_thread, prepare},
        stream::{Called, read_along},
    },
    Isolation, Order, Runner, Setup, Subject,
    combine::Combination,
    root::TaskRoot,
};
use std::{path::PathBuf, rc::Rc, sync::Arc};
use trine_engine::{EngineInfo, Error, HANDLER_NAMES};

/// Everything that a trial needs, owned.
pub(super) struct Trial {
    pub(super) runner: Arc<dyn Runner>,
    pub(super) folder: PathBuf,
    pub(super) languages: Vec<EngineInfo>,
    pub(super) combination: Combination,
    pub(super) order: Order,
    pub(super) isolation: Isolation,
    pub(super) script: Script,
}

/// Runs a trial; fails with what differed from the expectations, and the log.
pub(super) fn run(trial: Trial) -> Result<(), String> {
    on_a_thread(move |sink| {
        let root = TaskRoot::new(&trial.folder, &trial.combination, &trial.languages)?;
        let setup = trial.setup(&root, sink);
        block_on(trial.load_and_invoke(&setup))?;
        check_log(&trial.script, &sink.text())
    })
}

impl Trial {
    fn setup(&self, root: &TaskRoot, sink: &Arc<CapturingSink>) -> Setup {
        let root = root.path();
        Setup {
            root: root.to_owned(),
            handler: root.join(format!("handler.{}", self.combination.handler.extension)),
            export: self.script.export.clone().unwrap_or_else(|| HANDLER_NAMES[0].to_owned()),
            middlewares: self.combination.middlewares.clone(),
            order: self.order,
            isolation: self.isolation,
            environment: environment(root, &self.script, sink),
        }
    }

    async fn load_and_invoke(&self, setup: &Setup) -> Result<(), String> {
        let prepared = self.runner.prepare(setup).await;
        let subject = match (&self.script.load_error, prepared) {
            (None, Ok(subject)) => subject,
            (None, Err(error)) => return Err(format!("the function did not load: {error:#}")),
            (Some(_), Ok(_)) => return Err("the function loaded, which it should not".into()),
            (Some(matcher), Err(error)) => {
                return matcher.check(&error, &self.extension_of(&error));
            }
        };
        let result = self.invoke(&subject).await;
        subject.finish().await;
        result
    }

    async fn invoke(&self, subject: &Rc<dyn Subject>) -> Result<(), String> {
        let steps = &self.script.steps;
        let calls = steps.iter().enumerate().map(|(at, step)| invoke_one(subject, at, step));
        let mut results = Vec::new();
        if self.script.side_by_side {
            let calls: Vec<_> = calls.map(tokio::task::spawn_local).collect();
            for call in calls {
                results.push(call.await.map_err(|e| format!("an invocation did not end: {e}"))?);
            }
        } else {
            for call in calls {
                results.push(call.await);
            }
        }
        for (at, (step, result)) in steps.iter().zip(results).enumerate() {
            let extension = match &result.result {
                Ok(_) => String::new(),
                Err(error) => self.extension_of(error),
            };
            check(step, result, &extension).map_err(|e| format!("invocation {at}: {e}"))?;
        }
        Ok(())
    }

    /// Returns the extension of the file that an error came from, which is a hook's as often as the handler's.
    fn extension_of(&self, error: &Error) -> String {
        let file = error.frames().first().map_or("", |frame| frame.file.as_str());
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        match self.languages.iter().any(|language| language.extensions.contains(&extension)) {
            true => extension.to_owned(),
            false => self.combination.handler.extension.to_owned(),
        }
    }
}

/// Runs a single invocation.
fn invoke_one(
    subject: &Rc<dyn Subject>,
    at: usize,
    step: &Step,
) -> impl Future<Output = Called> + use<> {
    let (subject, prepared) = (Rc::clone(subject), prepare(at, step));
    async move {
        let call = subject.invoke(prepared.event, &prepared.invocation);
        read_along(&prepared.invocation, prepared.gone_after, call).await
    }
}
