//! One worker's functions: loaded at their first request, called no more often at a time than they can take.

use super::{
    options::ServeOptions,
    site::{ServedFunction, Site},
};
use crate::{pipeline::Pipeline, worker::Worker};
use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    rc::Rc,
    sync::Arc,
    task::Poll,
};
use tokio::sync::{OnceCell, Semaphore};
use trine_engine::{Error, Invocation, Payload, Result};

/// The functions of a site, as one worker has them.
pub(super) struct Functions {
    site: Arc<Site>,
    worker: Rc<Worker>,
    slots: Vec<Slot>,
}

struct Slot {
    /// Filled by the first request; emptied when the instance must not be called again.
    pipeline: RefCell<Rc<OnceCell<Pipeline>>>,
    permits: Arc<Semaphore>,
    limit: u32,
}

impl Functions {
    /// None of them loaded yet.
    pub(super) fn new(site: Arc<Site>, worker: Rc<Worker>, options: &ServeOptions) -> Self {
        let slot = |interleaving: bool| {
            let limit = if interleaving { options.concurrency.clamp(1, 1 << 16) } else { 1 };
            Slot {
                pipeline: RefCell::default(),
                permits: Arc::new(Semaphore::new(limit)),
                limit: limit as u32,
            }
        };
        let slots = site
            .functions()
            .iter()
            .map(|function| slot(function.located.engine.info().capabilities.interleaving))
            .collect();
        Self { site, worker, slots }
    }

    /// Loads a function unless it is loaded.
    ///
    /// # Errors
    /// As [`Worker::load`]. The next call tries again, so that its author may mend the file meanwhile.
    pub(super) async fn load(&self, index: usize) -> Result<()> {
        let cell = self.slot(index)?.pipeline.borrow().clone();
        self.loaded(index, &cell).await.map(|_| ())
    }

    /// Invokes a function. The call goes on to its end even if this future is dropped, because a guest that is left in
    /// the middle would keep what it holds.
    ///
    /// # Errors
    /// What loading or the handler raised.
    pub(super) async fn call(
        self: &Rc<Self>,
        index: usize,
        event: Payload,
        invocation: Rc<Invocation>,
    ) -> Result<Payload> {
        let permits = self.slot(index)?.permits.clone();
        let permit = permits.acquire_owned().await.map_err(|_| stopping())?;
        let functions = self.clone();
        to_its_end(async move {
            let slot = functions.slot(index)?;
            let cell = slot.pipeline.borrow().clone();
            let pipeline = functions.loaded(index, &cell).await?;
            let result = pipeline.run(event, &invocation).await;
            if result.as_ref().is_err_and(Error::poisons) {
                functions.recycle(index, &cell);
            }
            drop(permit);
            result
        })
        .await
    }

    /// Waits until nothing is in flight, and lets nothing new begin.
    pub(super) async fn finish(&self) {
        for slot in &self.slots {
            if let Ok(all) = slot.permits.acquire_many(slot.limit).await {
                all.forget();
            }
            slot.permits.close();
        }
    }

    /// Ends the instance behind a function, and lets go of every function that was loaded into it.
    fn recycle(&self, index: usize, failed: &Rc<OnceCell<Pipeline>>) {
        let engine = |function: &ServedFunction| function.located.engine.info().id;
        let Some(function) = self.site.functions().get(index) else { return };
        // Another call may have done it while this one was still in the instance.
        if !self.slots.get(index).is_some_and(|slot| Rc::ptr_eq(&slot.pipeline.borrow(), failed)) {
            return;
        }
        self.worker.recycle(&function.located);
        for (other, slot) in self.site.functions().iter().zip(&self.slots) {
            if engine(other) == engine(function) {
                slot.pipeline.replace(Rc::default());
            }
        }
    }

    async fn loaded<'c>(&self, index: usize, cell: &'c OnceCell<Pipeline>) -> Result<&'c Pipeline> {
        let function = self.site.functions().get(index).ok_or_else(|| unknown(index))?;
        cell.get_or_try_init(|| self.worker.load(&function.located)).await
    }

    fn slot(&self, index: usize) -> Result<&Slot> {
        self.slots.get(index).ok_or_else(|| unknown(index))
    }
}

fn unknown(index: usize) -> Error {
    Error::internal(format!("a route leads to function {index}, which does not exist"))
}

fn stopping() -> Error {
    Error::internal("the server is stopping")
}

/// Drives a future to its end even if the caller goes away. What ends at the first poll costs no task.
async fn to_its_end<T: 'static>(future: impl Future<Output = Result<T>> + 'static) -> Result<T> {
    let mut future = Box::pin(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(result) => result,
        Poll::Pending => match tokio::task::spawn_local(future).await {
            Ok(result) => result,
            Err(e) => Err(Error::internal(format!("the invocation was lost: {e}"))),
        },
    }
}
