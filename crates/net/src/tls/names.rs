//! What a certificate says: its names, its end, its kind of key.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Names in lower case, the end in seconds since 1970, whether the key is RSA.
pub(super) fn facts_of(der: &[u8]) -> Result<(Vec<String>, i64, bool), String> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| format!("not a certificate: {error}"))?;
    let alternative = certificate.subject_alternative_name().map_err(|error| format!("its names: {error}"))?;
    let mut names: Vec<String> = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(str::to_ascii_lowercase));
    }
    let rsa = matches!(certificate.public_key().parsed(), Ok(PublicKey::RSA(_)));
    Ok((names, certificate.validity().not_after.timestamp(), rsa))
}

/// Whether a certificate's name covers a host; a star stands for one whole label (RFC 9525 §6.3).
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == name,
    }
}
