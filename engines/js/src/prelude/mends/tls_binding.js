// Mends the binding below `node:tls`; see build.rs. `made` is what its script has made.

// Servers' own certificates that `NODE_EXTRA_CA_CERTS` names are trusted although they say that they are authorities, as
// are those that `ca` names. All others of that file are among the roots.
const { wrap } = made;
made.wrap = made.default.wrap = (handle, context, isServer, servername) => {
  if (!isServer && context.useDefaultCA) {
    const extra = __bootstrap.internals.trineServerCertificates();
    if (extra !== undefined) {
      context.ca = [context.ca ?? [], extra].flat();
    }
  }
  return wrap(handle, context, isServer, servername);
};
