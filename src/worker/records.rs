//! An event of several records: each is an invocation of its own to hooks and handler, one after the other, and the platform
//! is told which of them have failed.

use super::traced::Traced;
use crate::{
    aws_events::{CloudEvents, Converted, Order, Record},
    pipeline::{Observer, Pipeline},
    telemetry::{Root, Trail},
    watchdog::Watch,
};
use bytes::Bytes;
use chrono::Utc;
use serde_json::{Value, json};
use std::{cell::RefCell, rc::Rc};
use trine_engine::{Error, ErrorKind, Invocation, Payload, Result};

/// What the log calls a part of an event.
const WHAT: &str = "a record";

/// The conversion of events, where it is asked for.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// The form of events of AWS's services.
    pub form: CloudEvents,
    /// The function's region, which is part of some sources.
    pub region: String,
}

impl CloudEvents {
    /// Returns the conversion to this form, for a function in this region.
    pub fn conversion(self, region: &str) -> Conversion {
        Conversion { form: self, region: region.to_owned() }
    }
}

/// One run of a function's pipeline, for an event as a whole or for each of its records.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) conversion: Option<&'a Conversion>,
    pub(super) watch: &'a Watch,
    /// Where calls are told; those for a record within a part of its own.
    pub(super) trail: &'a Trail,
    /// The invocation that is under way: that of a record, where there are some.
    pub(super) current: &'a RefCell<Rc<Invocation>>,
    /// Takes the failures of records that leave the others alone.
    pub(super) report: &'a dyn Fn(&str, &Error),
}

impl Run<'_> {
    /// Runs hooks and handler; the result is that of the event, or what the platform is to know about its records.
    pub(super) async fn run(&self, event: Payload) -> Result<Payload> {
        let invocation = self.current.borrow().clone();
        let Some(Conversion { form, region }) = self.conversion else {
            return self.once(event, &invocation, self.trail).await;
        };
        let event = event.whole();
        let Payload::Json(text) = &event else {
            return self.once(event, &invocation, self.trail).await;
        };
        match form.convert(text, region, Utc::now()) {
            Converted::Unchanged => self.once(event, &invocation, self.trail).await,
            Converted::One(event) => self.once(payload(&event), &invocation, self.trail).await,
            Converted::Records(records) => self.run_each(records, &invocation).await,
        }
    }

    /// Runs hooks and handler once.
    async fn once(
        &self,
        event: Payload,
        invocation: &Rc<Invocation>,
        trail: &Trail,
    ) -> Result<Payload> {
        let traced = Traced::on(trail);
        let observer = traced.as_ref().map(|traced| traced as &dyn Observer);
        self.pipeline.run(event, invocation, self.watch, observer).await
    }

    async fn run_each(&self, records: Vec<Record>, invocation: &Invocation) -> Result<Payload> {
        let count = records.len();
        let tells = records.iter().all(|record| record.item.is_some());
        let mut failed: Vec<String> = Vec::new();
        let mut first = None;
        let mut stops = false;
        for Record { event, item } in records {
            let (id, order) = match item {
                Some(item) => (item.id, item.order),
                None => (String::new(), Order::None),
            };
            if stops {
                failed.push(id);
                continue;
            }
            let mut own = invocation.part();
            let part = self.trail.begin_part("record", &mut own);
            let trail = part.as_ref().map(Root::trail).unwrap_or_default();
            let own = Rc::new(own);
            // Nobody reads the answer to a record: a stream is taken as a whole.
            own.exchange.buffer();
            self.current.replace(own.clone());
            let Err(error) = self.once(payload(&event), &own, &trail).await else { continue };
            trail.fail(&error);
            if is_final(&error) {
                return Err(error);
            }
            failed.push(id);
            match &first {
                None => first = Some(error),
                Some(_) => (self.report)(WHAT, &error),
            }
            match order {
                Order::None => {}
                Order::Stream => break,
                Order::Queue => stops = true,
            }
        }
        match first {
            // Where all have failed, or their failure cannot be told apart, the event has.
            Some(error) if !tells || failed.len() == count => Err(error),
            Some(error) => {
                (self.report)(WHAT, &error);
                Ok(payload(&failures(&failed)))
            }
            None if tells => Ok(payload(&failures(&[]))),
            None => Ok(payload(&Value::Null)),
        }
    }
}

/// Whether nothing can follow an error: the time is up, or the instance has ended.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::OutOfMemory | ErrorKind::Exit)
}

/// Returns what the platform reads of records that have failed. Contract: "Reporting batch item failures" of Lambda.
fn failures(failed: &[String]) -> Value {
    let failed = failed.iter().map(|id| json!({"itemIdentifier": id}));
    json!({"batchItemFailures": failed.collect::<Vec<_>>()})
}

fn payload(value: &Value) -> Payload {
    Payload::Json(Bytes::from(value.to_string()))
}
