// Mends `node:worker_threads`; see build.rs. `made` is what the script has made.
__bootstrap.internals.trineMendWorker(made.Worker);
