//! Instances that start beside others, end in any order, and leave nothing behind.

use crate::support::{Guest, call, invocation, run};
use std::rc::Rc;
use trine_engine::{FunctionId, Instance, Wanted};
use trine_testkit::alone;

const HANDLER: &str = "globalThis.count = 0;
export const handler = async (event) => {
    count += 1;
    await new Promise((resolve) => setTimeout(resolve, event));
    return count;
};";

async fn started(guest: &Guest) -> (Rc<dyn Instance>, FunctionId) {
    let instance = guest.another();
    let module = guest.module("app.mjs", Wanted::Handler("handler".into()));
    let function = instance.load(&module).await.unwrap().functions[0].1;
    (instance, function)
}

#[test]
fn instances_interleave_on_one_thread_and_end_in_any_order() {
    run(async {
        let guest = Guest::new(HANDLER);
        let mut instances = Vec::new();
        for _ in 0..4 {
            instances.push(started(&guest).await);
        }
        for round in 1..=3 {
            let cx = [invocation(), invocation(), invocation(), invocation()];
            let mut calls: Vec<_> = instances
                .iter()
                .zip(&cx)
                .map(|((instance, function), cx)| Box::pin(call(instance, *function, "3", cx)))
                .collect();
            let mut left = calls.len();
            std::future::poll_fn(|task| {
                calls.retain_mut(|call| match call.as_mut().poll(task) {
                    std::task::Poll::Ready(result) => {
                        assert_eq!(result.unwrap(), round.to_string());
                        left -= 1;
                        false
                    }
                    std::task::Poll::Pending => true,
                });
                if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
        // The oldest first, then one from the middle, which is only dropped; the others go on.
        let (oldest, function) = instances.remove(0);
        oldest.shutdown();
        let ended = call(&oldest, function, "1", &invocation()).await.unwrap_err();
        assert!(ended.message().contains("has ended"), "{ended}");
        drop(oldest);
        drop(instances.remove(1));
        instances.push(started(&guest).await);
        for (instance, function) in &instances {
            call(instance, *function, "0", &invocation()).await.unwrap();
        }
    });
}

#[test]
fn a_call_that_waits_ends_with_its_instance() {
    run(async {
        let guest = Guest::new(HANDLER);
        let (instance, function) = started(&guest).await;
        let cx = invocation();
        let mut waits = Box::pin(call(&instance, function, "60000", &cx));
        std::future::poll_fn(|task| {
            assert!(waits.as_mut().poll(task).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        instance.shutdown();
        assert!(waits.await.is_err());
    });
}

fn field(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn instances_leave_no_threads_and_no_files_behind() {
    // The other tests of this process would count.
    alone::run("recycling::instances_leave_no_threads_and_no_files_behind", &[], || {
        for limit in [None, Some(128 << 20)] {
            run(async {
                let guest = Guest::with(&[("app.mjs", HANDLER)], limit);
                let mut before = (usize::MAX, usize::MAX);
                for round in 0..60 {
                    let (instance, function) = started(&guest).await;
                    call(&instance, function, "0", &invocation()).await.unwrap();
                    instance.shutdown();
                    drop(instance);
                    if round == 20 {
                        before = (field("Threads:") as usize, open_files());
                    }
                }
                let after = (field("Threads:") as usize, open_files());
                assert!(after.0 <= before.0 && after.1 <= before.1, "{before:?} {after:?}");
            });
        }
    });
}
