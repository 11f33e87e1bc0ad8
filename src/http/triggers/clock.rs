//! Triggers that go by the clock: when their runs begin, and the runs that go on.

use super::{
    Trigger,
    calls::Around,
    counts::TriggerCounts,
    event,
    source::Clock,
    ticker::{Missed, Ticker, Turn},
};
use crate::telemetry::{Opening, Role};
use chrono::{DateTime, SecondsFormat, Utc};
use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time};
use trine_engine::{Level, Payload};

/// The longest time between two looks at the clock: it may be set meanwhile.
const LOOK: Duration = Duration::from_secs(5);

/// A trigger on its way: its clock, and the run that goes on.
struct Going {
    trigger: Trigger,
    clock: Clock,
    counts: TriggerCounts,
    ticker: Ticker,
    run: Rc<Cell<Option<DateTime<Utc>>>>,
}

/// Looks at the clock until the server is asked to stop, and waits for the runs that go on then.
pub(super) async fn work(around: Rc<Around>) {
    let mut runs = JoinSet::new();
    let now = Utc::now();
    let triggers = around.site.triggers().iter().enumerate();
    let mut all: Vec<Going> = triggers
        .filter_map(|(index, trigger)| {
            let clock = trigger.source.clock()?.clone();
            Some(Going {
                trigger: trigger.clone(),
                ticker: Ticker::new(clock.schedule.clone(), now),
                clock,
                counts: around.counts(index),
                run: Rc::default(),
            })
        })
        .collect();
    loop {
        let now = Utc::now();
        for going in &mut all {
            going.look(now, &around, &mut runs);
        }
        let next = all.iter().filter_map(|going| going.ticker.due()).min();
        let wait = next.and_then(|next| (next - Utc::now()).to_std().ok());
        let wait = wait.unwrap_or(if next.is_some() { Duration::ZERO } else { LOOK });
        tokio::select! {
            () = around.until_stop() => break,
            Some(_) = runs.join_next(), if !runs.is_empty() => {}
            () = time::sleep(wait.min(LOOK)) => {}
        }
    }
    let ended = async { while runs.join_next().await.is_some() {} };
    tokio::select! {
        biased;
        () = ended => return,
        () = around.until_end() => {}
    }
    for going in all {
        let Some(due) = going.run.get() else { continue };
        let message = format!("the run due at {} was {}", shown(due), around.left());
        around.tell(&going.trigger, Level::Warn, &message, &[]);
        going.counts.failed.inc();
    }
}

impl Going {
    /// Looks at the clock, and begins the run that is due.
    fn look(&mut self, now: DateTime<Utc>, around: &Rc<Around>, runs: &mut JoinSet<()>) {
        let turn = self.ticker.look(now);
        self.tell(around, &turn);
        let Some(due) = turn.run else { return };
        if let Some(earlier) = self.run.get() {
            let message = format!(
                "the run due at {} is left out, because the one of {} still goes on",
                shown(due),
                shown(earlier)
            );
            around.tell(&self.trigger, Level::Warn, &message, &[]);
            self.counts.dropped.inc();
            return;
        }
        self.run.set(Some(due));
        self.counts.received.inc();
        let (around, trigger, clock) = (around.clone(), self.trigger.clone(), self.clock.clone());
        let (running, counts) = (self.run.clone(), self.counts.clone());
        runs.spawn_local(async move {
            let _in_flight = counts.begin(1);
            match run(&around, &trigger, &clock, due).await {
                true => counts.succeeded.inc(),
                false => counts.failed.inc(),
            };
            running.set(None);
        });
    }

    /// Tells what of a schedule was not kept.
    fn tell(&self, around: &Around, turn: &Turn) {
        let warn = |message: &str| around.tell(&self.trigger, Level::Warn, message, &[]);
        if let Some(back) = turn.back {
            let seconds = back.num_seconds();
            warn(&format!("the clock has gone back by {seconds} s, and runs may come again"));
        }
        if let Some(Missed { count, first, last }) = turn.missed {
            let times = match count {
                1 => format!("the run due at {} was missed", shown(first)),
                _ => {
                    format!("{count} runs due from {} to {} were missed", shown(first), shown(last))
                }
            };
            warn(&format!("{times}: the clock was set, or the process was held up"));
            self.counts.dropped.inc_by(count.into());
        }
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Invokes a trigger's function for the run that was due at this time. Returns whether that went well.
async fn run(around: &Around, trigger: &Trigger, clock: &Clock, due: DateTime<Utc>) -> bool {
    let Some(mut call) = around.call(trigger) else { return false };
    let _span = call.open_span(|| Opening {
        name: trigger.name.clone().into(),
        role: Role::Consumer,
        facts: vec![("faas.trigger", "timer".into()), ("faas.time", shown(due).into())],
        ..Opening::default()
    });
    let (begun, id, function) = (Instant::now(), call.id, call.function);
    let event = Payload::Json(event::of(trigger, clock, function, due, &id));
    let went_well = call.make(event).await.is_ok();
    if around.options.log_requests {
        let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        let message = format!(
            "trigger '{}' due at {}: {} {milliseconds:.2} ms",
            trigger.name,
            shown(due),
            function.name
        );
        let facts =
            [("trigger", trigger.name.as_str().into()), ("requestId", id.to_string().into())];
        around.log.line(Level::Info, &message, &facts);
    }
    went_well
}
