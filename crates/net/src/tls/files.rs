//! One certificate and its key, read from their files.

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::names::{Said, covers, said_by};
use super::{CertificateError, CertificateFacts, CertificateFiles};

/// A certificate that can be shown.
pub(super) struct Loaded {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: CertificateFacts,
}

impl Loaded {
    /// Whether it is for this name, given in lower case.
    pub(super) fn is_for(&self, name: &str) -> bool {
        self.facts.names.iter().any(|pattern| covers(pattern, name))
    }
}

/// How two files looked: enough to tell that they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp([Option<(Option<SystemTime>, u64, u64)>; 2]);

impl Stamp {
    pub(super) fn of(files: &CertificateFiles) -> Stamp {
        Stamp([&files.certificate, &files.key].map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok(), metadata.len(), metadata.ino()))
        }))
    }
}

pub(super) fn load(files: &CertificateFiles, provider: &CryptoProvider) -> Result<Loaded, CertificateError> {
    let (certificate, key) = (&files.certificate, &files.key);
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| content(certificate, format!("not a PEM file: {error}")))?;
    let Some(own) = chain.first() else {
        return Err(content(certificate, "there is no certificate in it".into()));
    };
    let said = said_by(own).map_err(|reason| content(certificate, reason))?;
    let private = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|error| content(key, format!("there is no private key in it: {error}")))?;
    let key = CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => content(key, "the key is not that of the certificate".into()),
        error => content(key, error.to_string()),
    })?;
    let Said { names, validity, self_signed, rsa } = said;
    let facts = CertificateFacts { files: files.clone(), names, validity, self_signed, rsa };
    Ok(Loaded { key: Arc::new(key), facts })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|source| CertificateError::File { path: path.to_owned(), source })
}

fn content(path: &Path, reason: String) -> CertificateError {
    CertificateError::Content { path: path.to_owned(), reason }
}
