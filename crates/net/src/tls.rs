//! Certificates of the submission ports: loaded from files, several by name, reloaded when the files change.
//!
//! One `rustls` configuration lives as long as the process, and with it the keys of session tickets;
//! a reload swaps the certificates inside it, so that no session and no ticket is lost.

mod files;
mod names;
mod proofs;

use arc_swap::ArcSwap;
use relay::certificate::Validity;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, Ticketer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::shutdown::Shutdown;
use files::{Loaded, Stamp};

pub(crate) use proofs::ACME_TLS;
pub use proofs::Proofs;

/// Where one certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, PEM, the server's own first.
    pub certificate: PathBuf,
    /// The private key, PEM (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// There is none.
    #[error("no certificate is configured")]
    None,
    /// A file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file holds no certificate or key that can be used.
    #[error("{path}: {reason}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The library for TLS cannot do its work.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

/// What one certificate in use says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Where it was read.
    pub files: CertificateFiles,
    /// The names it is for.
    pub names: Vec<String>,
    /// From when to when it is good.
    pub validity: Validity,
    /// Whether it vouches for itself, as the one does that stands in until an authority has given one.
    pub self_signed: bool,
    /// Whether its key is RSA.
    pub rsa: bool,
}

/// The certificates in use, shared by every listener and kept across reloads together with the ticket keys.
pub struct Certificates {
    files: Vec<CertificateFiles>,
    shown: Arc<Shown>,
    proofs: Arc<Proofs>,
    config: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    /// The files as they were when last read, whether they could be used or not.
    seen: Mutex<Vec<Stamp>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Certificates {
    /// Reads them. The first is shown to clients that name no server or an unknown one. Blocks on the disk.
    ///
    /// # Errors
    /// One cannot be used: nothing can be started.
    pub fn load(files: Vec<CertificateFiles>) -> Result<Arc<Certificates>, CertificateError> {
        let provider = Arc::new(provider());
        let seen = files.iter().map(Stamp::of).collect();
        let loaded = load_all(&files, &provider)?;
        let proofs = Arc::<Proofs>::default();
        let shown = Arc::new(Shown { loaded: ArcSwap::from_pointee(loaded), proofs: Arc::clone(&proofs) });
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.ignore_client_order = true;
        config.ticketer = Ticketer::new()?;
        // a mailer that resumes at all opens one connection after the other
        config.send_tls13_tickets = 1;
        let (config, seen) = (Arc::new(config), Mutex::new(seen));
        Ok(Arc::new(Certificates { files, shown, proofs, config, provider, seen }))
    }

    /// The configuration of every inbound handshake.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The same for what speaks HTTP, where authorities may come to see that a name is ours (RFC 8737).
    pub fn config_of_http(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = vec![b"http/1.1".to_vec(), ACME_TLS.to_vec()];
        Arc::new(config)
    }

    /// What authorities are answered.
    pub fn proofs(&self) -> &Arc<Proofs> {
        &self.proofs
    }

    /// What is in use now, for `doctor`, health and metrics.
    pub fn facts(&self) -> Vec<CertificateFacts> {
        self.shown.loaded.load().iter().map(|loaded| loaded.facts.clone()).collect()
    }

    /// Looks at the files, and takes them where they changed; whether they did. Blocks on the disk.
    ///
    /// # Errors
    /// They changed and cannot be used; the old ones stay. Said once for each change.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let now: Vec<_> = self.files.iter().map(Stamp::of).collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Ok(false);
        }
        *seen = now;
        let loaded = load_all(&self.files, &self.provider)?;
        let same = self.shown.loaded.load().iter().map(|old| &old.key.cert).eq(loaded.iter().map(|new| &new.key.cert));
        self.shown.loaded.store(Arc::new(loaded));
        Ok(!same)
    }

    /// Looks at the files every `period` until shutdown, and takes what has changed. What cannot be
    /// used is logged, and the old stays.
    pub async fn watch(self: Arc<Self>, period: Duration, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.begun() => return,
                () = tokio::time::sleep(period) => {}
            }
            let certificates = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || certificates.reload()).await {
                Ok(Ok(true)) => {
                    tracing::info!(names = ?self.facts().first().map(|facts| &facts.names), "certificate reloaded")
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
                Err(error) => tracing::error!(%error, "looking at the certificate failed"),
            }
        }
    }
}

/// AES-128 comes first, whatever the client likes best: its hash is SHA-256, for which processors have instructions;
/// that of AES-256 is SHA-384, for which most have none, and a handshake hashes much.
fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let is_cheap = |suite: CipherSuite| {
        matches!(
            suite,
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    };
    provider.cipher_suites.sort_by_key(|suite| !is_cheap(suite.suite()));
    provider
}

fn load_all(files: &[CertificateFiles], provider: &CryptoProvider) -> Result<Vec<Loaded>, CertificateError> {
    if files.is_empty() {
        return Err(CertificateError::None);
    }
    files.iter().map(|one| files::load(one, provider)).collect()
}

/// What is shown to clients.
struct Shown {
    loaded: ArcSwap<Vec<Loaded>>,
    proofs: Arc<Proofs>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.loaded.load().iter().map(|loaded| &loaded.facts.names)).finish()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        // an authority asks for this protocol alone (RFC 8737 §4)
        if hello.alpn().is_some_and(|mut offered| offered.next() == Some(ACME_TLS)) {
            return self.proofs.over_tls(&asked?);
        }
        let all = self.loaded.load();
        let usable = |loaded: &&Loaded| loaded.key.key.choose_scheme(hello.signature_schemes()).is_some();
        // an elliptic key costs a fifth of RSA
        let cheapest = |named: &dyn Fn(&&Loaded) -> bool| {
            all.iter().filter(named).filter(usable).min_by_key(|loaded| loaded.facts.rsa)
        };
        let by_name = asked.and_then(|name| cheapest(&|loaded| loaded.is_for(&name)));
        let first = || cheapest(&|loaded| loaded.facts.names == all[0].facts.names);
        by_name.or_else(first).or_else(|| all.iter().find(usable)).map(|loaded| Arc::clone(&loaded.key))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
