// Mends `node:module`; see build.rs.

internals.trineGuardAddons(Module);
