//! DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, RSA-2048 and Ed25519, From oversigned.

use bytes::Bytes;

/// A key that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the DKIM key cannot be used: {0}")]
pub struct KeyError(pub String);

/// A private key, ready to sign.
pub enum SigningKey {}

impl SigningKey {
    /// Reads a private key from PKCS#8 DER.
    ///
    /// # Errors
    /// It is not an RSA key of at least 2048 bits nor an Ed25519 key.
    pub fn from_pkcs8(_der: &[u8]) -> Result<Self, KeyError> {
        Err(KeyError(String::new()))
    }
}

/// What one signature says besides the content.
pub struct Signer<'a> {
    /// `d=`
    pub domain: &'a str,
    /// `s=`
    pub selector: &'a str,
    /// The key.
    pub key: &'a SigningKey,
}

/// The relaxed body hash, fed chunk by chunk.
#[derive(Debug, Default)]
pub struct BodyHash {}

impl BodyHash {
    /// Takes the next octets of the body, cut anywhere.
    pub fn update(&mut self, _octets: &[u8]) {}

    /// SHA-256 of the body in relaxed form (RFC 6376 §3.4.4).
    pub fn finish(self) -> [u8; 32] {
        [0; 32]
    }
}

/// DKIM-Signature fields for a message, one for each signer, CRLF after each: sent in front of the content.
///
/// `header` is the admitted header section with its empty line, `seconds` goes into `t=`.
///
/// # Errors
/// A key could not sign.
pub fn seal(_signers: &[Signer<'_>], _header: &[u8], _body_hash: [u8; 32], _seconds: u64) -> Result<Bytes, KeyError> {
    Err(KeyError(String::new()))
}

/// A new RSA-2048 private key, PKCS#8 DER. Takes a tenth of a second and more; the dice are the library's own.
///
/// # Errors
/// The library failed.
pub fn generate_rsa() -> Result<Vec<u8>, KeyError> {
    Err(KeyError(String::new()))
}

/// A new Ed25519 private key, PKCS#8 DER; the dice are the library's own.
///
/// # Errors
/// The library failed.
pub fn generate_ed25519() -> Result<Vec<u8>, KeyError> {
    Err(KeyError(String::new()))
}

/// The TXT record to publish for a private key: `v=DKIM1; k=rsa; p=…`.
///
/// # Errors
/// The key cannot be read.
pub fn record(_pkcs8: &[u8]) -> Result<String, KeyError> {
    Err(KeyError(String::new()))
}
