//! TLS: the certificate that a server shows and its key, read from files, and read again when these change.

use crate::telemetry::Log;
use chrono::{DateTime, NaiveDateTime, Utc};
use std::{
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        Error as RustlsError, InconsistentKeys, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs::default_provider},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};
use trine_engine::Level;

/// The protocols that clients can choose from, the better one first.
pub(super) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The time between two looks at the files.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The files with a server's certificate and its key, in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead from it to one that clients know.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The reason why TLS cannot be spoken with these files.
#[derive(Debug, thiserror::Error)]
#[error("{what} '{}' {why}", .file.display())]
pub struct TlsError {
    what: &'static str,
    file: PathBuf,
    why: String,
}

/// What tells one state of a file from another: device, number, time of change in seconds and nanoseconds, size.
type Stamp = (u64, u64, i64, i64, u64);

const CERTIFICATE: &str = "the certificate file";
const KEY: &str = "the key file";

/// A server's side of TLS.
#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    identity: Arc<Identity>,
    config: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
}

/// What a server shows at present.
#[derive(Debug)]
struct Identity(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with which of them.
    pub(super) fn open(files: &TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(default_provider());
        let identity = Arc::new(Identity(RwLock::new(Arc::new(read(files, &provider)?))));
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| wrong(CERTIFICATE, &files.certificate, e.to_string()))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(identity.clone());
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Ok(Self { files: files.clone(), identity, config: Arc::new(config), provider })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.config.clone().into()
    }

    /// Warns of a certificate whose time is over, or has not come.
    pub(super) fn warn(&self, log: &Log) {
        let identity = self.identity.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((begin, end)) = identity.cert.first().and_then(|first| validity(first)) else {
            return;
        };
        let (now, file) = (Utc::now(), self.files.certificate.display());
        let day = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC");
        if now > end {
            let message = format!(
                "the certificate in '{file}' has expired: it was valid until {}; clients will refuse it",
                day(end)
            );
            log.line(Level::Warn, &message, &[]);
        } else if now < begin {
            let message = format!("the certificate in '{file}' is not valid before {}", day(begin));
            log.line(Level::Warn, &message, &[]);
        }
    }

    /// Reads the files again whenever they change, and at every SIGHUP. Never returns.
    pub(super) async fn follow(&self, log: &Log) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut seen = self.stamps();
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => std::future::pending().await,
                }
            };
            let was_asked = tokio::select! {
                () = asked => true,
                () = time::sleep(LOOK_INTERVAL) => false,
            };
            let now = self.stamps();
            if was_asked || now != seen {
                seen = now;
                self.reload(log);
            }
        }
    }

    /// Reads the files again. Where they are wrong, what was read before is still shown.
    fn reload(&self, log: &Log) {
        match read(&self.files, &self.provider) {
            Ok(read) => {
                let mut identity = self.identity.0.write().unwrap_or_else(PoisonError::into_inner);
                *identity = Arc::new(read);
                drop(identity);
                let file = self.files.certificate.display();
                let message = format!("the certificate in '{file}' was read again");
                log.line(Level::Info, &message, &[]);
                self.warn(log);
            }
            Err(error) => {
                let message = format!("{error}; the certificate from before is still in use");
                log.line(Level::Error, &message, &[]);
            }
        }
    }

    /// Returns what tells one state of the files from another.
    fn stamps(&self) -> [Option<Stamp>; 2] {
        let stamp = |file: &Path| {
            let about = fs::metadata(file).ok()?;
            Some((about.dev(), about.ino(), about.mtime(), about.mtime_nsec(), about.size()))
        };
        [stamp(&self.files.certificate), stamp(&self.files.key)]
    }
}

fn wrong(what: &'static str, file: &Path, why: impl Into<String>) -> TlsError {
    TlsError { what, file: file.to_owned(), why: why.into() }
}

/// Reads certificate and key, which have to belong together.
fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let bytes = |what, file: &Path| {
        fs::read(file).map_err(|e| wrong(what, file, format!("cannot be read: {e}")))
    };
    let (file, text) = (&files.certificate, bytes(CERTIFICATE, &files.certificate)?);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain =
        chain.map_err(|e| wrong(CERTIFICATE, file, format!("is no valid PEM text: {e}")))?;
    if chain.is_empty() {
        let why = format!("holds no certificate but {}", Found(&text));
        return Err(wrong(CERTIFICATE, file, why));
    }
    let (file, text) = (&files.key, bytes(KEY, &files.key)?);
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let hint = match text.windows(9).any(|word| word == b"ENCRYPTED") {
            true => ": write it without a passphrase (openssl pkey -in FILE -out NEW)",
            false => "",
        };
        wrong(
            KEY,
            file,
            format!("holds no private key that can be used but {}{hint}", Found(&text)),
        )
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        RustlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let certificate = files.certificate.display();
            let why = format!("is not the key of the first certificate in '{certificate}'");
            wrong(KEY, &files.key, why)
        }
        RustlsError::InvalidCertificate(why) => {
            wrong(CERTIFICATE, &files.certificate, format!("has an invalid certificate: {why:?}"))
        }
        other => wrong(KEY, &files.key, format!("has a key that cannot be used: {other}")),
    })
}

/// The kinds of things that a PEM text holds, in words.
struct Found<'a>(&'a [u8]);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.0);
        let mut kinds: Vec<&str> = Vec::new();
        for line in text.lines() {
            let kind = line.trim().strip_prefix("-----BEGIN ");
            if let Some(kind) = kind.and_then(|kind| kind.strip_suffix("-----"))
                && !kinds.contains(&kind)
            {
                kinds.push(kind);
            }
        }
        match kinds.as_slice() {
            [] if text.trim().is_empty() => f.write_str("nothing at all"),
            [] => f.write_str("something that is no PEM text (-----BEGIN …)"),
            kinds => f.write_str(&kinds.join(", ")),
        }
    }
}

/// Returns the times between which a certificate is valid (RFC 5280 §4.1).
fn validity(certificate: &[u8]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (tag, certificate, _) = element(certificate)?;
    let (inner, mut rest, _) = element(certificate)?;
    if (tag, inner) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Its number, the algorithm of its signature, and who has issued it.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, both, _) = element(rest)?;
    let (kind, begin, rest) = element(both)?;
    let begin = moment(kind, begin)?;
    let (kind, end, _) = element(rest)?;
    Some((begin, moment(kind, end)?))
}

/// Takes an element of DER apart: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Reads a time of a certificate.
fn moment(kind: u8, digits: &[u8]) -> Option<DateTime<Utc>> {
    let digits = std::str::from_utf8(digits).ok()?;
    let digits = match kind {
        // Two digits for the year, of 1950 to 2049.
        0x17 => format!("{}{digits}", if digits < "5" { "20" } else { "19" }),
        0x18 => digits.to_owned(),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&digits, "%Y%m%d%H%M%SZ").ok()?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_how_long_it_is_valid() {
        let text = include_bytes!("../../tests/it/http/certificates/expired.pem");
        let certificate = CertificateDer::from_pem_slice(text).unwrap();
        let (begin, end) = validity(&certificate).unwrap();
        let written = |time: DateTime<Utc>| time.to_rfc3339();
        assert_eq!(written(begin), "2020-01-01T00:00:00+00:00");
        assert_eq!(written(end), "2020-01-31T23:59:59+00:00");
        for length in 0..certificate.len() {
            // Whatever a file holds.
            let _ = validity(&certificate[..length]);
        }
    }

    #[test]
    fn years_have_two_digits_or_four() {
        let year = |kind, digits: &[u8]| moment(kind, digits).map(|time| time.to_rfc3339());
        assert_eq!(year(0x17, b"491231235959Z").unwrap(), "2049-12-31T23:59:59+00:00");
        assert_eq!(year(0x17, b"500101000000Z").unwrap(), "1950-01-01T00:00:00+00:00");
        assert_eq!(year(0x18, b"21260101000000Z").unwrap(), "2126-01-01T00:00:00+00:00");
        assert_eq!(year(0x18, b"soon"), None);
        assert_eq!(year(0x04, b"500101000000Z"), None);
    }

    #[test]
    fn what_a_file_holds_instead_is_named() {
        let found = |text: &[u8]| Found(text).to_string();
        assert_eq!(found(b" \n"), "nothing at all");
        assert_eq!(found(b"\x30\x82"), "something that is no PEM text (-----BEGIN …)");
        let both =
            b"-----BEGIN PUBLIC KEY-----\n-----BEGIN X509 CRL-----\n-----BEGIN X509 CRL-----\n";
        assert_eq!(found(both), "PUBLIC KEY, X509 CRL");
    }
}
