//! SnapStart: between its start and its first event the process is written to a snapshot, of which copies go on. Contract:
//! AWS's "Lambda SnapStart" and "runtime hooks".

use super::{
    ApiError, Ended,
    poller::{Poller, Start},
    run::load,
};
use crate::worker::{Function, Worker};
use std::{future::Future, pin::Pin};
use trine_engine::Error;

/// The types by which the platform knows failures around a snapshot.
const BEFORE: &str = "Runtime.BeforeSnapshotError";
const AFTER: &str = "Runtime.AfterRestoreError";

/// Lets a loaded function prepare, waits while the snapshot is taken, and lets the copy that goes on take up its work.
/// Returns how the process ends, where it does not go on.
pub(super) async fn pass(
    poller: &mut Poller,
    worker: &Worker,
    function: &Function,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Option<Ended> {
    let prepared = match load(worker, stop.as_mut(), function.before_snapshot()).await {
        None => return Some(Ended::Signal),
        Some(Err(error)) => Err(error),
        Some(Ok(())) => poller.api.restore_next(stop.as_mut()).await.map_err(refused),
    };
    match prepared {
        Ok(true) => {}
        Ok(false) => return Some(Ended::Signal),
        Err(error) => {
            poller.fail_start(&error, Start::Init, BEFORE).await;
            return Some(Ended::Snapshot(error));
        }
    }
    match load(worker, stop, function.after_restore()).await {
        None => Some(Ended::Signal),
        Some(Ok(())) => None,
        Some(Err(error)) => {
            poller.fail_start(&error, Start::Restore, AFTER).await;
            Some(Ended::Restore(error))
        }
    }
}

fn refused(error: ApiError) -> Error {
    Error::internal(error.to_string()).with_name(BEFORE)
}
