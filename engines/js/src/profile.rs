//! Profiles and pictures of the heap, in the forms that Chrome's tools and editors read.

use crate::{instance::Shared, stack::Sources};
use deno_runtime::deno_core::{
    InspectorMsg, InspectorMsgKind, InspectorSessionKind, JsRuntimeInspector,
    LocalInspectorSession, scope,
};
use serde_json::{Value, json};
use std::{cell::RefCell, io, rc::Rc};
use trine_engine::{Error, Profile, Result};

/// A session with V8's own profiler.
struct Profiler {
    session: LocalInspectorSession,
    /// The answer to the last command.
    answer: Rc<RefCell<Option<String>>>,
}

impl Shared {
    /// Begins to note where guests spend their time.
    pub(crate) fn profile(self: &Rc<Self>) -> Result<Profile> {
        let answer = Rc::<RefCell<Option<String>>>::default();
        let session = {
            let answer = answer.clone();
            let inspector = self.isolate()?.enter().runtime().inspector();
            let keep = move |message: InspectorMsg| {
                if matches!(message.kind, InspectorMsgKind::Message(_)) {
                    answer.replace(Some(message.content));
                }
            };
            // Nothing waits for it.
            let kind = InspectorSessionKind::NonBlocking { wait_for_disconnect: false };
            JsRuntimeInspector::create_local_session(inspector, Box::new(keep), kind)
        };
        let mut profiler = Profiler { session, answer };
        self.ask(&mut profiler, "Profiler.enable")?;
        self.ask(&mut profiler, "Profiler.start")?;
        let shared = self.clone();
        Ok(Profile::new(move || {
            let mut answer = shared.ask(&mut profiler, "Profiler.stop")?;
            let mut profile = answer["result"]["profile"].take();
            place_in_sources(&mut profile, &shared.loader.sources);
            Ok(profile.to_string().into_bytes())
        }))
    }

    /// Sends a command to V8's profiler, which answers at once.
    fn ask(&self, profiler: &mut Profiler, command: &str) -> Result<Value> {
        // A session must not be used when its isolate is gone.
        let mut isolate = self.isolate()?;
        let mut isolate = isolate.enter();
        let runtime = isolate.runtime();
        scope!(_scope, runtime);
        profiler.answer.take();
        profiler.session.post_message(1, command, None::<()>);
        let answer = profiler.answer.take().unwrap_or_default();
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        match answer.get("result") {
            Some(_) => Ok(answer),
            None => Err(Error::internal(format!("V8's profiler refuses {command}: {answer}"))),
        }
    }

    /// Writes a picture of the heap.
    pub(crate) fn heap_snapshot(&self, out: &mut dyn io::Write) -> Result<()> {
        let mut isolate = self.isolate()?;
        let mut isolate = isolate.enter();
        let mut outcome = Ok(());
        isolate.runtime().v8_isolate().take_heap_snapshot(|part| {
            outcome = out.write_all(part);
            outcome.is_ok()
        });
        outcome.and_then(|()| out.flush()).map_err(|error| {
            Error::internal(format!("the heap snapshot cannot be written: {error}"))
        })
    }
}

/// Replaces places in code that was made of TypeScript with those in the TypeScript.
fn place_in_sources(profile: &mut Value, sources: &Sources) {
    let Some(nodes) = profile["nodes"].as_array_mut() else { return };
    for node in nodes {
        let Some(url) = node["callFrame"]["url"].as_str().map(str::to_owned) else { continue };
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let frame = &node["callFrame"];
        let place = number(&frame["lineNumber"]).zip(number(&frame["columnNumber"]));
        let Some((line, column)) =
            place.and_then(|(line, column)| sources.origin(&url, line, column))
        else {
            continue;
        };
        node["callFrame"]["lineNumber"] = json!(line);
        node["callFrame"]["columnNumber"] = json!(column);
        let Some(ticks) = node.get_mut("positionTicks").and_then(Value::as_array_mut) else {
            continue;
        };
        for tick in ticks {
            // Ticks have lines, counted from 1, and no columns.
            let line = number(&tick["line"]).and_then(|line| line.checked_sub(1));
            if let Some((line, _)) = line.and_then(|line| sources.origin(&url, line, u32::MAX)) {
                tick["line"] = json!(line + 1);
            }
        }
    }
}
