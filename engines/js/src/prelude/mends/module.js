// Mends `node:module`; see build.rs.

internals.trineGuardAddons(Module);
internals.trineAddFolders(Module);
