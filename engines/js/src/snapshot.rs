//! A snapshot of the process, of which copies go on: what guests want done around it, and what no copy may share.

use crate::{
    call::Current, convert::read_functions, error::During, instance::Shared, isolate::Prelude,
};
use deno_runtime::{deno_core::v8, deno_fetch::Client};
use trine_engine::Result;

impl Shared {
    /// Runs what guests want done before a snapshot, and lets go of the connections that `fetch` keeps.
    pub(crate) async fn before_snapshot(&self) -> Result<()> {
        self.run_around_snapshot(|prelude| &prelude.before_snapshot).await?;
        if let Ok(mut isolate) = self.isolate() {
            let state = isolate.enter().runtime().op_state();
            let client = state.borrow_mut().try_take::<Client>();
            drop(client);
        }
        Ok(())
    }

    /// Seeds the random generators, and runs what guests want done in a copy.
    pub(crate) async fn after_restore(&self) -> Result<()> {
        self.run_around_snapshot(|prelude| &prelude.after_restore).await
    }

    async fn run_around_snapshot(
        &self,
        which: impl FnOnce(&Prelude) -> &v8::Global<v8::Function>,
    ) -> Result<()> {
        let (step, current) = {
            let Ok(mut isolate) = self.isolate() else { return Ok(()) };
            let mut isolate = isolate.enter();
            let current = Current::new(During::Call, self.forget_old_interrupts(&mut isolate));
            let (runtime, prelude) = isolate.parts();
            deno_runtime::deno_core::scope!(scope, runtime);
            let undefined = v8::undefined(scope).into();
            let function = v8::Local::new(scope, which(prelude));
            let result = function.call(scope, undefined, &[]);
            (self.step(scope, prelude, result, &current, read_functions)?, current)
        };
        let finished = self.finish(step, &current, read_functions).await;
        self.within_memory(finished)?;
        // A rejection that nobody has handled belongs here, not to the first invocation.
        self.turn_between_calls()
    }
}
