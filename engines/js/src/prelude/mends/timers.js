// Mends the script behind `node:timers`; see build.rs. `made` is what it has made.
__bootstrap.internals.trineMendTimers(made);
