// Mends what starts processes; see build.rs. `made` is what the script has made.
__bootstrap.internals.trineMendProcesses(made);
