// Mends callbacks of `node:fs` and `node:crypto`; see build.rs. `made` is what the script has made.
__bootstrap.internals.trineMendCallbacks(made);
