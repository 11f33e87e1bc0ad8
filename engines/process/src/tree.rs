//! The folder that the binary was shipped in, with what languages need beside their interpreters: a standard library,
//! certificates. It may lie anywhere; its manifest tells it from folders that merely look alike.

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The manifest, relative to the folder.
pub const MANIFEST: &str = "share/trine/manifest.json";

/// Returns the folder, where the binary is in the `bin` of one.
pub fn root() -> Option<&'static Path> {
    static ROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let binary = env::current_exe().ok()?;
        let root = binary.parent()?.parent()?;
        root.join(MANIFEST).is_file().then(|| root.to_owned())
    };
    ROOT.get_or_init(find).as_deref()
}

/// Returns a file of trusted certificates for libraries that look where their build machine had them: the system's, else
/// the one that the folder brings. `None` where the binary was not shipped in a folder.
pub fn certificates() -> Option<PathBuf> {
    const OF_SYSTEMS: [&str; 5] = [
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cert.pem",
    ];
    let root = root()?;
    let mut of_system = OF_SYSTEMS.map(PathBuf::from).into_iter();
    let own = root.join("share/trine/ca-certificates.pem");
    of_system.find(|path| path.is_file()).or_else(|| own.is_file().then_some(own))
}
