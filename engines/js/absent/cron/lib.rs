//! Deno's cron is absent: a function is invoked by who schedules it. See `../README.md`.

use std::rc::Rc;

/// A scheduler.
pub trait CronHandler {
    /// Returns a scheduler for another environment than the one that the snapshot was made in.
    fn maybe_reload(&self) -> Option<Box<dyn CronHandler>> {
        None
    }
}

/// The scheduler of nothing.
pub struct CronHandlerImpl;

impl CronHandlerImpl {
    /// Returns it, whatever the environment is.
    pub fn create_from_env() -> Self {
        Self
    }
}

impl CronHandler for CronHandlerImpl {}

/// Schedulers of one process.
pub mod local {
    /// The scheduler of nothing.
    pub struct LocalCronHandler;

    impl LocalCronHandler {
        /// Returns it.
        #[allow(clippy::new_without_default, reason = "callers name this one")]
        pub fn new() -> Self {
            Self
        }
    }

    impl super::CronHandler for LocalCronHandler {}
}

deno_core::extension!(
    deno_cron,
    lazy_loaded_js = [
        "ext:deno_cron/01_cron.ts" = {
            source = r#"(function () {
function cron() {
  throw new TypeError("Deno.cron is not part of this runtime: let the platform's scheduler invoke the function");
}

return { cron };
})();
"#
        }
    ],
    options = { cron_handler: Box<dyn CronHandler> },
    state = |state, options| state.put::<Rc<dyn CronHandler>>(Rc::from(options.cron_handler))
);
