//! Deno's key-value store is absent: it belongs to Deno's own cloud. See `../README.md`.

/// What opens databases, of which there are none.
pub mod dynamic {
    use crate::remote::HttpOptions;
    use std::path::PathBuf;

    /// What opens databases.
    pub trait DynamicDbHandler {}

    /// What opens none, wherever it is said to be.
    pub struct MultiBackendDbHandler;

    impl DynamicDbHandler for MultiBackendDbHandler {}

    impl MultiBackendDbHandler {
        /// Takes what it has no use for.
        pub fn remote_or_sqlite(_: Option<PathBuf>, _: Option<u64>, _: HttpOptions) -> Self {
            Self
        }
    }
}

/// Databases in files.
pub mod sqlite {
    use std::path::PathBuf;

    /// What opens none.
    pub struct SqliteDbHandler;

    impl SqliteDbHandler {
        /// Takes what it has no use for.
        pub fn new(_: Option<PathBuf>, _: Option<u64>) -> Self {
            Self
        }
    }

    impl super::dynamic::DynamicDbHandler for SqliteDbHandler {}
}

/// Databases that are asked over HTTP.
pub mod remote {
    use deno_tls::{Proxy, RootCertStoreProvider, TlsKeys};
    use std::sync::Arc;

    /// Settings of the HTTP client.
    pub struct HttpOptions {
        /// The client's name.
        pub user_agent: String,
        /// Trusted certificates.
        pub root_cert_store_provider: Option<Arc<dyn RootCertStoreProvider>>,
        /// The proxy to go through.
        pub proxy: Option<Proxy>,
        /// Hosts whose certificates are not looked at.
        pub unsafely_ignore_certificate_errors: Option<Vec<String>>,
        /// The client's certificate.
        pub client_cert_chain_and_key: TlsKeys,
    }
}

/// Limits of a store.
#[derive(Debug, Default)]
pub struct KvConfig;

impl KvConfig {
    /// Returns the defaults.
    pub fn builder() -> Self {
        Self
    }

    /// Returns itself.
    pub fn build(self) -> Self {
        self
    }
}

deno_core::extension!(
    deno_kv,
    lazy_loaded_js = [
        "ext:deno_kv/01_db.ts" = {
            source = r#"(function () {
function openKv() {
  throw new TypeError("Deno KV is not part of this runtime: use the client of a database");
}

return { openKv };
})();
"#
        }
    ],
    options = { handler: Box<dyn dynamic::DynamicDbHandler>, config: KvConfig },
    state = |_, options| drop((options.handler, options.config))
);
