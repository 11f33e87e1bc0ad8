//! The product as the runner of cases with middlewares: names to files, files to a loaded chain, events through it.

use std::rc::Rc;
use trine::{
    engines::Registry,
    handler::{SearchPaths, locate_file},
    pipeline::{MiddlewareNames, Order, Plan, middleware_folders},
    worker::{Function, Isolation, Recycling, Worker, WorkerOptions},
};
use trine_engine::{Invocation, LocalFuture, Payload, Result};
use trine_testkit::conformance::middleware::{self, Runner, Setup, Subject};

/// The runner of cases, which works as both front doors run invocations.
pub(crate) struct Product;

impl Runner for Product {
    fn prepare<'a>(&'a self, setup: &'a Setup) -> LocalFuture<'a, Result<Rc<dyn Subject>>> {
        Box::pin(async move {
            let registry = Registry::built_in();
            let layers = setup.root.join("opt");
            let search =
                SearchPaths { layer_root: layers.clone(), ..SearchPaths::new(&setup.root) };
            let located = locate_file(&setup.handler, &setup.export, &search, &registry)?;
            let asked = MiddlewareNames {
                names: setup.middlewares.clone(),
                order: match setup.order {
                    middleware::Order::Onion => Order::Onion,
                    middleware::Order::Listed => Order::Listed,
                },
            };
            let folders = middleware_folders(&layers, &setup.root, &setup.root);
            let plan = Plan::find(located, &asked, &folders, &registry)?;
            let isolation = match setup.isolation {
                middleware::Isolation::Shared => Isolation::Shared,
                middleware::Isolation::Fresh => Isolation::Fresh,
            };
            let worker = Rc::new(Worker::new(WorkerOptions {
                recycling: Recycling { isolation, ..Recycling::default() },
                ..WorkerOptions::new(setup.environment.clone())
            }));
            let function = Function::new(worker.clone(), plan);
            function.load().await?;
            Ok(Rc::new(Loaded { worker, function }) as Rc<dyn Subject>)
        })
    }
}

struct Loaded {
    worker: Rc<Worker>,
    function: Function,
}

impl Subject for Loaded {
    fn invoke<'a>(
        &'a self,
        event: Payload,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move {
            let answer = self.function.invoke(event, invocation, || None).await;
            // As a front door does once the answer has gone out.
            self.function.refresh().await?;
            answer.into_parts().0
        })
    }

    fn finish(&self) -> LocalFuture<'_, ()> {
        Box::pin(self.worker.shutdown())
    }
}
