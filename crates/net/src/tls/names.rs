//! What a certificate says: its names, its end, its kind of key.

use relay::certificate::Validity;
use relay::clock::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

/// What one certificate says.
pub(super) struct Said {
    /// In lower case.
    pub(super) names: Vec<String>,
    pub(super) validity: Validity,
    pub(super) self_signed: bool,
    pub(super) rsa: bool,
}

pub(super) fn said_by(der: &[u8]) -> Result<Said, String> {
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
    let moment = |at: ASN1Time| Timestamp(u64::try_from(at.timestamp()).unwrap_or_default().saturating_mul(1_000));
    let dates = certificate.validity();
    Ok(Said {
        names,
        validity: Validity { begins: moment(dates.not_before), ends: moment(dates.not_after) },
        self_signed: certificate.subject() == certificate.issuer(),
        rsa: matches!(certificate.public_key().parsed(), Ok(PublicKey::RSA(_))),
    })
}

/// Whether a certificate's name covers a host; a star stands for one whole label (RFC 9525 §6.3).
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == name,
    }
}
