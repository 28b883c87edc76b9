//! Private keys for DKIM: read, made, and shown as the record to publish (RFC 6376 §3.6.1, RFC 8463 §4).

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::KeyError;

/// A private key, ready to sign; parsed once, lent to any thread.
pub struct SigningKey(Kind);

enum Kind {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl SigningKey {
    /// Reads a private key from PKCS#8 DER.
    ///
    /// # Errors
    /// It is not an RSA key of at least 2048 bits nor an Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Ok(SigningKey(Kind::Ed25519(pair)));
        }
        match RsaKeyPair::from_pkcs8(der) {
            Ok(pair) => Ok(SigningKey(Kind::Rsa(pair))),
            Err(error) => Err(KeyError(format!("neither RSA of 2048 bits or more nor Ed25519 in PKCS#8: {error}"))),
        }
    }

    /// The `a=` of its signatures.
    pub fn algorithm(&self) -> &'static str {
        match &self.0 {
            Kind::Rsa(_) => "rsa-sha256",
            Kind::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// Signs. The RSA form hashes by itself; the Ed25519 form is made over the hash (RFC 8463 §3).
    pub(super) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.0 {
            Kind::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Kind::Ed25519(pair) => {
                let hash = digest::digest(&digest::SHA256, octets);
                Ok(pair.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }

    fn record(&self) -> Result<String, KeyError> {
        match &self.0 {
            Kind::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(failed)?;
                Ok(format!("v=DKIM1; k=rsa; p={}", BASE64.encode(der.as_ref())))
            }
            Kind::Ed25519(pair) => Ok(format!("v=DKIM1; k=ed25519; p={}", BASE64.encode(pair.public_key().as_ref()))),
        }
    }
}

fn failed(_: aws_lc_rs::error::Unspecified) -> KeyError {
    KeyError("the cryptographic library refused it".into())
}

/// A new RSA-2048 private key, PKCS#8 DER. Takes a tenth of a second and more; the dice are the library's own.
///
/// # Errors
/// The library failed.
pub fn generate_rsa() -> Result<Vec<u8>, KeyError> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    Ok(der.as_ref().to_vec())
}

/// A new Ed25519 private key, PKCS#8 DER; the dice are the library's own.
///
/// # Errors
/// The library failed.
pub fn generate_ed25519() -> Result<Vec<u8>, KeyError> {
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    Ok(der.as_ref().to_vec())
}

/// The TXT record to publish for a private key: `v=DKIM1; k=rsa; p=…`.
///
/// # Errors
/// The key cannot be read.
pub fn record(pkcs8: &[u8]) -> Result<String, KeyError> {
    SigningKey::from_pkcs8(pkcs8)?.record()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_keys_can_be_read() {
        for (der, algorithm, begin, length) in [
            (generate_rsa().unwrap(), "rsa-sha256", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", 410),
            (generate_ed25519().unwrap(), "ed25519-sha256", "v=DKIM1; k=ed25519; p=", 66),
        ] {
            assert_eq!(SigningKey::from_pkcs8(&der).unwrap().algorithm(), algorithm);
            let record = record(&der).unwrap();
            assert!(record.starts_with(begin), "{record}");
            assert_eq!(record.len(), length, "{record}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let rsa = generate_rsa().unwrap();
        for der in [&b""[..], b"\x30\x00", &rsa[..rsa.len() - 1], &rsa[1..]] {
            assert!(SigningKey::from_pkcs8(der).is_err());
        }
    }

    #[test]
    fn a_key_prints_no_secret() {
        let key = SigningKey::from_pkcs8(&generate_ed25519().unwrap()).unwrap();
        assert_eq!(format!("{key:?}"), "[secret]");
    }

    #[test]
    fn keys_go_to_any_thread() {
        fn shared<T: Send + Sync>() {}
        shared::<SigningKey>();
    }
}
