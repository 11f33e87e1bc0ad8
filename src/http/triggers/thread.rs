//! The thread of the triggers: it begins them all, and sees to their end.

use super::{brokers, calls::Around, clock};
use crate::worker;
use std::{io, rc::Rc, thread::JoinHandle};
use tokio::task::{JoinSet, LocalSet};
use trine_engine::Level;

/// Starts the thread. It ends when the server was asked to stop and what runs has ended, or the grace is over.
///
/// # Errors
/// When the system has no thread or no event queue left.
pub(in crate::http) fn start(around: Around) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    worker::spawn_beside("trine-triggers", move || {
        LocalSet::new().block_on(&runtime, work(around));
    })
}

async fn work(around: Around) {
    let around = Rc::new(around);
    let mut all = JoinSet::new();
    if around.site.triggers().iter().any(|trigger| trigger.source.clock().is_some()) {
        all.spawn_local(clock::work(around.clone()));
    }
    brokers::begin(&around, &mut all);
    let ended = async {
        while let Some(ended) = all.join_next().await {
            if let Err(error) = ended {
                let message = format!("a trigger has ended by a fault of the program: {error}");
                around.log.line(Level::Error, &message, &[]);
            }
        }
    };
    let left = async {
        around.until_end().await;
        // Workers end when nobody can hand anything over to them any more.
        around.dispatcher.take();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = ended => {}
        () = left => {}
    }
}
