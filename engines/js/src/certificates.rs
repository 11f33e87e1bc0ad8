//! The certificates that `NODE_EXTRA_CA_CERTS` adds to those that are trusted anyway.

use crate::host::{host_of, text_or_undefined, warn};
use deno_error::JsErrorBox;
use deno_runtime::deno_core::v8;
use deno_runtime::deno_tls::{
    RootCertStoreProvider, create_default_root_cert_store,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
        SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
            verify_server_name,
        },
        pki_types::{CertificateDer, ServerName, UnixTime},
        server::ParsedCertificate,
    },
    rustls_pemfile, webpki,
};
use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use trine_engine::LogSettings;

/// The certificates of the file that `NODE_EXTRA_CA_CERTS` names.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    certificates: Vec<CertificateDer<'static>>,
    /// The PEM text of those that may be servers' own: authorities have names that no server has.
    servers: String,
    store: OnceLock<RootCertStore>,
}

/// Returns the extra certificates. As in Node, the variable is read once, when the process starts.
pub(crate) fn extra(log: &LogSettings) -> Option<&'static Arc<Extra>> {
    static EXTRA: OnceLock<Option<Arc<Extra>>> = OnceLock::new();
    EXTRA
        .get_or_init(|| {
            let path = std::env::var_os("NODE_EXTRA_CA_CERTS").filter(|path| !path.is_empty())?;
            let path = Path::new(&path);
            let ignored = |problem: &dyn std::fmt::Display| {
                let name = path.display();
                warn(log, &format!("Ignoring extra certs from `{name}`, load failed: {problem}"));
            };
            let bytes = std::fs::read(path).inspect_err(|error| ignored(error)).ok()?;
            let (extra, problem) = Extra::read(&String::from_utf8_lossy(&bytes));
            if let Some(problem) = problem {
                ignored(&problem);
            }
            extra.map(Arc::new)
        })
        .as_ref()
}

/// Returns the provider of the certificates that isolates trust; `None` where those are Deno's own.
pub(crate) fn provider(log: &LogSettings) -> Option<Arc<dyn RootCertStoreProvider>> {
    extra(log).map(|extra| Arc::clone(extra) as Arc<dyn RootCertStoreProvider>)
}

/// Implements `serverCertificates()`: the text of those extra certificates that may be servers' own, if there are any.
pub(crate) fn server_certificates(
    scope: &mut v8::PinScope<'_, '_>,
    _args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let log = &host_of(scope).environment.log;
    let text = extra(log).map(|extra| extra.servers.as_str()).filter(|text| !text.is_empty());
    result.set(text_or_undefined(scope, text));
}

impl Extra {
    /// Reads PEM text: the certificates in it, if there are any, and what is wrong with the others.
    fn read(text: &str) -> (Option<Self>, Option<String>) {
        const END: &str = "-----END CERTIFICATE-----";
        let mut extra = Self::default();
        let mut problem = None;
        for (place, block) in text.split_inclusive(END).enumerate() {
            let read = rustls_pemfile::certs(&mut block.as_bytes()).next().transpose();
            let added = read.map_err(|error| error.to_string()).and_then(|certificate| {
                let Some(certificate) = certificate else { return Ok(()) };
                let mut store = RootCertStore::empty();
                store.add(certificate.clone()).map_err(|error| error.to_string())?;
                if Names::of(&certificate).is_some_and(|names| names.may_be_a_server()) {
                    let begin = block.find("-----BEGIN").unwrap_or(0);
                    extra.servers.push_str(&block[begin..]);
                    extra.servers.push('\n');
                }
                extra.certificates.push(certificate);
                Ok(())
            });
            if let Err(error) = added {
                problem.get_or_insert(format!("certificate {}: {error}", place + 1));
            }
        }
        let any = !extra.certificates.is_empty();
        (any.then_some(extra), problem)
    }

    fn store(&self) -> &RootCertStore {
        self.store.get_or_init(|| {
            let mut store = create_default_root_cert_store();
            store.add_parsable_certificates(self.certificates.iter().cloned());
            store
        })
    }

    /// Makes settings of a client that trusts what OpenSSL would and webpki does not, and whether that was needed.
    pub(crate) fn lenient(self: &Arc<Self>) -> Result<(Arc<ClientConfig>, Leniency), Error> {
        let inner = WebPkiServerVerifier::builder(Arc::new(self.store().clone()))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let leniency = Leniency::default();
        let verifier = Lenient { inner, extra: Arc::clone(self), leniency: leniency.clone() };
        let mut config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Arc::new(config), leniency))
    }

    fn has(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates.iter().any(|known| known.as_ref() == certificate.as_ref())
    }
}

impl RootCertStoreProvider for Extra {
    fn get_or_try_init(&self) -> Result<&RootCertStore, JsErrorBox> {
        Ok(self.store())
    }
}

/// A verifier that accepts two kinds of certificates more than webpki: a server's own, if it is one of the extra ones,
/// although it claims to be an authority (`openssl req -x509` makes such); and, where a certificate has no alternative
/// names, one whose common name is the server's.
#[derive(Debug)]
struct Lenient {
    inner: Arc<WebPkiServerVerifier>,
    extra: Arc<Extra>,
    leniency: Leniency,
}

/// Whether a certificate was accepted that webpki rejects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leniency(Arc<AtomicBool>);

impl Leniency {
    pub(crate) fn was_needed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let Err(error) = verified else { return verified };
        let named = match &error {
            // Checked after the dates, and before the name.
            Error::InvalidCertificate(CertificateError::Other(other))
                if is_authority(other) && self.extra.has(end_entity) =>
            {
                let parsed = ParsedCertificate::try_from(end_entity)?;
                verify_server_name(&parsed, server_name)
            }
            // Checked last.
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => Err(error.clone()),
            _ => return Err(error),
        };
        match named {
            Err(error) if !has_common_name(end_entity, server_name) => Err(error),
            _ => {
                self.leniency.0.store(true, Ordering::Relaxed);
                Ok(ServerCertVerified::assertion())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn is_authority(error: &deno_runtime::deno_tls::rustls::OtherError) -> bool {
    matches!(error.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// Whether a certificate without alternative names has this server's name as its common name.
fn has_common_name(certificate: &CertificateDer<'_>, server_name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(wanted) = server_name else { return false };
    Names::of(certificate).is_some_and(|names| {
        let wanted = wanted.as_ref().as_bytes();
        names.alternative.is_none()
            && names.common.iter().any(|name| name.eq_ignore_ascii_case(wanted))
    })
}

/// The names in a certificate's subject and alternative names.
struct Names<'a> {
    /// Whether the alternative names, if there are any, contain a server's name or address.
    alternative: Option<bool>,
    common: Vec<&'a [u8]>,
}

impl<'a> Names<'a> {
    /// Reads the names of a certificate in DER.
    fn of(certificate: &'a [u8]) -> Option<Self> {
        const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
        const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
        const DNS_NAME: u8 = 0x82;
        const IP_ADDRESS: u8 = 0x87;
        let (_, certificate, _) = element(certificate)?;
        let (_, signed, _) = element(certificate)?;
        let mut parts: Vec<(u8, &[u8])> = elements(signed).collect();
        // A version precedes the serial number, unless it is the first.
        if parts.first()?.0 == 0xa0 {
            parts.remove(0);
        }
        // Serial number, signature's algorithm, issuer, validity, subject, key, and what may follow.
        let subject = parts.get(4)?.1;
        let extensions = parts.iter().skip(6).find(|(tag, _)| *tag == 0xa3);
        let extensions =
            extensions.and_then(|(_, list)| element(list)).map_or(&[][..], |list| list.1);
        let alternative = elements(extensions).find_map(|(_, extension)| {
            let mut fields = elements(extension);
            let (_, identifier) = fields.next()?;
            let (_, value) = fields.last()?;
            (identifier == ALTERNATIVE_NAMES).then_some(value)
        });
        let alternative = alternative.and_then(element).map(|(_, names, _)| {
            elements(names).any(|(kind, _)| kind == DNS_NAME || kind == IP_ADDRESS)
        });
        let attributes = elements(subject).flat_map(|(_, set)| elements(set));
        let common = attributes.filter_map(|(_, attribute)| {
            let mut pair = elements(attribute);
            let (_, identifier) = pair.next()?;
            let (_, value) = pair.next()?;
            (identifier == COMMON_NAME).then_some(value)
        });
        Some(Self { alternative, common: common.collect() })
    }

    /// Whether a server can have such a name.
    fn may_be_a_server(&self) -> bool {
        self.alternative.unwrap_or_else(|| self.common.iter().any(|name| !name.contains(&b' ')))
    }
}

/// Returns the elements of a list in DER: their tags and contents.
fn elements(mut list: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, content, rest) = element(list)?;
        list = rest;
        Some((tag, content))
    })
}

/// Splits off the first element of bytes in DER: its tag, its content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let fits = digits.len() <= 4;
            let number = digits.iter().fold(0, |number, digit| number << 8 | usize::from(*digit));
            (fits.then_some(number)?, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with `openssl req -x509`, valid for a hundred years.
    const LOCALHOST: &str = include_str!("../../../tests/it/certificates/localhost.pem");
    const AUTHORITY: &str = include_str!("../../../tests/it/certificates/authority.pem");

    #[test]
    fn every_certificate_of_a_file_is_read_whatever_stands_between_them() {
        let text = format!("# ours\n{AUTHORITY}\n\u{fffd}\n{LOCALHOST}");
        let (extra, problem) = Extra::read(&text);
        let extra = extra.expect("there are two");
        assert_eq!((extra.certificates.len(), problem), (2, None));
        assert_eq!(extra.servers.trim(), LOCALHOST.trim());
    }

    #[test]
    fn what_is_no_certificate_is_told_and_passed_over() {
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let (extra, problem) = Extra::read(&format!("{bad}{AUTHORITY}"));
        assert_eq!(extra.map(|extra| extra.certificates.len()), Some(1));
        assert!(problem.is_some_and(|problem| problem.starts_with("certificate 1: ")));
        assert!(matches!(Extra::read("none at all"), (None, None)));
    }

    #[test]
    fn names_are_read_from_whole_certificates_only() {
        let whole = rustls_pemfile::certs(&mut LOCALHOST.as_bytes()).next();
        let whole = whole.expect("there is one").expect("it is whole");
        let names = Names::of(&whole).expect("it has names");
        assert_eq!((names.alternative, names.common), (None, vec![&b"localhost"[..]]));
        for length in 0..whole.len() {
            // Whatever the result, nothing panics.
            let _ = Names::of(&whole[..length]).map(|names| names.may_be_a_server());
        }
    }

    #[test]
    fn a_server_that_is_its_own_authority_is_trusted_which_webpki_does_not_do() {
        let (extra, _) = Extra::read(LOCALHOST);
        let extra = Arc::new(extra.expect("there is one"));
        let (_, leniency) = extra.lenient().expect("the certificate is a root");
        let inner = WebPkiServerVerifier::builder(Arc::new(extra.store().clone())).build();
        let inner = inner.expect("there are roots");
        let lenient = Lenient { inner, extra: Arc::clone(&extra), leniency: leniency.clone() };
        let verify = |verifier: &dyn ServerCertVerifier, name: &'static str| {
            let name = ServerName::try_from(name).expect("it is a name");
            verifier.verify_server_cert(&extra.certificates[0], &[], &name, &[], UnixTime::now())
        };
        assert!(
            verify(&*lenient.inner, "localhost").is_err(),
            "webpki takes it: neither this nor the tunnel is needed any more"
        );
        assert!(!leniency.was_needed());
        assert!(verify(&lenient, "elsewhere").is_err());
        assert!(!leniency.was_needed());
        assert!(verify(&lenient, "localhost").is_ok());
        assert!(leniency.was_needed());
    }
}
