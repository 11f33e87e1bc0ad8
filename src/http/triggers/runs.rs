//! The thread that looks at the clock, and the runs that it has begun.

use super::{
    Trigger, event,
    ticker::{Missed, Ticker, Turn},
};
use crate::{
    http::{
        event::new_trace_id,
        functions::end_unread,
        handover::Dispatcher,
        lifeline::{Lifeline, LostThread},
        options::ServeOptions,
        queue::Admission,
        site::Site,
    },
    telemetry::{Log, Opening, Role, Tracer},
    worker,
};
use chrono::{DateTime, SecondsFormat, Utc};
use http::Method;
use std::{
    cell::Cell,
    io,
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinSet, LocalSet},
    time,
};
use trine_engine::{Level, Payload};
use uuid::Uuid;

/// The longest time between two looks at the clock: it may be set meanwhile.
const LOOK: Duration = Duration::from_secs(5);

/// What the triggers of a server need of it.
pub(in crate::http) struct Around {
    pub(in crate::http) site: Arc<Site>,
    pub(in crate::http) options: Arc<ServeOptions>,
    pub(in crate::http) log: Log,
    /// What takes spans of runs, if anything does.
    pub(in crate::http) tracer: Tracer,
    /// The way to the worker that invokes their functions.
    pub(in crate::http) dispatcher: Dispatcher,
    /// The channel that tells the server that a worker is lost to guest code.
    pub(in crate::http) stuck: mpsc::UnboundedSender<LostThread>,
    /// Whether the server has been asked to stop: nothing begins after that.
    pub(in crate::http) stopped: watch::Receiver<bool>,
}

/// Starts the thread. It ends when the server was asked to stop and what runs has ended, or the grace is over.
///
/// # Errors
/// When the system has no thread or no event queue left.
pub(in crate::http) fn start(around: Around) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    worker::spawn_beside("trine-triggers", move || {
        LocalSet::new().block_on(&runtime, work(around));
    })
}

/// A trigger on its way: its clock, and the run that goes on.
struct Going {
    ticker: Ticker,
    run: Rc<Cell<Option<DateTime<Utc>>>>,
}

async fn work(around: Around) {
    let (mut stopped, grace, log) =
        (around.stopped.clone(), around.options.grace, around.log.clone());
    let mut runs = JoinSet::new();
    let now = Utc::now();
    let triggers = around.site.triggers().iter();
    let mut all: Vec<Going> = triggers
        .map(|trigger| Going {
            ticker: Ticker::new(trigger.schedule.clone(), now),
            run: Rc::default(),
        })
        .collect();
    let around = Rc::new(around);
    loop {
        let now = Utc::now();
        for (trigger, going) in around.site.triggers().iter().zip(&mut all) {
            let turn = going.ticker.look(now);
            tell(&log, trigger, &turn);
            let Some(due) = turn.run else { continue };
            if let Some(earlier) = going.run.get() {
                let message = format!(
                    "trigger '{}': the run due at {} is left out, because the one of {} still goes on",
                    trigger.name,
                    shown(due),
                    shown(earlier)
                );
                log.line(Level::Warn, &message, &[("trigger", trigger.name.as_str().into())]);
                continue;
            }
            going.run.set(Some(due));
            let (around, trigger, running) = (around.clone(), trigger.clone(), going.run.clone());
            runs.spawn_local(async move {
                run(&around, &trigger, due).await;
                running.set(None);
            });
        }
        let next = all.iter().filter_map(|going| going.ticker.due()).min();
        let wait = next.and_then(|next| (next - Utc::now()).to_std().ok());
        let wait = wait.unwrap_or(if next.is_some() { Duration::ZERO } else { LOOK });
        tokio::select! {
            // A sender that is gone means the same as one that says so.
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = runs.join_next(), if !runs.is_empty() => {}
            () = time::sleep(wait.min(LOOK)) => {}
        }
    }
    // Each run keeps the way to the worker open, which ends with the last of them.
    drop(around);
    let ended = async { while runs.join_next().await.is_some() {} };
    if time::timeout(grace, ended).await.is_err() {
        let left = runs.len();
        let message = format!(
            "runs of triggers were still in flight after the grace ({left}); they are left"
        );
        log.line(Level::Warn, &message, &[]);
    }
}

/// Tells what of a schedule was not kept.
fn tell(log: &Log, trigger: &Trigger, turn: &Turn) {
    let name = &trigger.name;
    let facts = [("trigger", name.as_str().into())];
    if let Some(back) = turn.back {
        let message = format!(
            "trigger '{name}': the clock has gone back by {} s, and runs may come again",
            back.num_seconds()
        );
        log.line(Level::Warn, &message, &facts);
    }
    if let Some(Missed { count, first, last }) = turn.missed {
        let times = match count {
            1 => format!("the run due at {} was missed", shown(first)),
            _ => format!("{count} runs due from {} to {} were missed", shown(first), shown(last)),
        };
        let message =
            format!("trigger '{name}': {times}: the clock was set, or the process was held up");
        log.line(Level::Warn, &message, &facts);
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Invokes a trigger's function for the run that was due at this time.
async fn run(around: &Around, trigger: &Trigger, due: DateTime<Utc>) {
    let Some(function) = around.site.functions().get(trigger.function) else { return };
    let (begun, id) = (Instant::now(), Uuid::new_v4());
    let trace_id = new_trace_id(Utc::now(), &id);
    let mut invocation = around.options.invocation(function, id.to_string(), trace_id);
    let span = around.tracer.open(|| Opening {
        name: trigger.name.clone().into(),
        role: Role::Consumer,
        facts: vec![
            ("faas.trigger", "timer".into()),
            ("faas.time", due.to_rfc3339_opts(SecondsFormat::Secs, true).into()),
        ],
        ..Opening::default()
    });
    if let Some(span) = &span {
        span.carry(&mut invocation);
    }
    let invocation = Rc::new(invocation);
    let lifeline = Lifeline {
        thread: LostThread::Worker,
        hold: None,
        stuck: around.stuck.clone(),
        method: Method::POST,
        format: around.options.format_of(function),
        request_id: invocation.request_id.clone(),
        function: function.name.clone(),
        dialect: function.located.engine.info().error_dialect,
        detail: around.options.error_detail,
        log: around.log.clone(),
    };
    let event = Payload::Json(event::of(trigger, function, due, &id));
    let call = around.dispatcher.call(
        trigger.function,
        event,
        &invocation,
        Some(lifeline),
        Admission::default(),
    );
    let failed = end_unread(call, &invocation).await;
    if let Some(error) = failed {
        around.log.failure(&function.name, &invocation.request_id, &error);
    }
    if around.options.log_requests {
        let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        let message = format!(
            "trigger '{}' due at {}: {} {milliseconds:.2} ms",
            trigger.name,
            shown(due),
            function.name
        );
        let facts = [
            ("trigger", trigger.name.as_str().into()),
            ("requestId", invocation.request_id.as_str().into()),
        ];
        around.log.line(Level::Info, &message, &facts);
    }
}
