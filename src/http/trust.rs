//! Whom the server trusts as a client: the certificates of the system, or of a file.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use trine_process::tree;

/// Where systems keep the certificates that they trust.
const CERTIFICATES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
];

/// Returns the settings of TLS for a client that trusts the certificates of a file, or of the system.
///
/// # Errors
/// The reason why there are no such certificates.
pub(super) fn client_tls(authorities: Option<&Path>) -> Result<ClientConfig, String> {
    let named = env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty()).map(PathBuf::from);
    let of_system = || CERTIFICATES.map(PathBuf::from).into_iter().find(|path| path.is_file());
    let of_its_own = authorities.map(Path::to_owned);
    let file = of_its_own.or(named).or_else(of_system).or_else(tree::certificates);
    let file =
        file.ok_or("no file of trusted certificates was found: name one with SSL_CERT_FILE")?;
    let wrong = |why: String| format!("{}: {why}", file.display());
    let all = CertificateDer::pem_file_iter(&file).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(all.flatten());
    if added == 0 {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    // Named here, because the process may have several.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
