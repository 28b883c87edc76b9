//! What became of TLS towards the mail servers of a domain, counted by day for the reports that it may want (RFC 8460).
//!
//! A **session** is one attempt to agree on TLS with one mail server, whatever then became of the mail. It is counted for the
//! recipient domain, by the policy that it was held to ([`Applied`]): the domain's own (MTA-STS), the server's TLSA records
//! (DANE), or none. Routes of the operator's are no concern of the domain's, and are not counted.

mod day;
mod record;
mod report;

pub use day::{Bounds, Counted, Detail, PolicyCount, Tally};
pub use record::{RUA_MAX, Rua, read_record};
pub use report::{Author, Report};

use serde::{Deserialize, Serialize};

use crate::mta_sts::{Mode, Policy};

/// Octets of the words for one failure that are kept.
const REASON_OCTETS_MAX: usize = 200;
/// Octets of a TLSA record that are shown; a longer one (a whole certificate) is left out.
const TLSA_OCTETS_MAX: usize = 256;

/// Why a session failed, or would have failed under a policy that is tried out (RFC 8460 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultType {
    /// The mail server does not offer STARTTLS, or refuses it when it comes to it.
    StarttlsNotSupported,
    /// The certificate is for other names.
    CertificateHostMismatch,
    /// The certificate has ended.
    CertificateExpired,
    /// The certificate does not lead to an authority that is trusted.
    CertificateNotTrusted,
    /// Anything else that no other type says; the reason has the words.
    ValidationFailure,
    /// None of the host's TLSA records can be used, or none speaks of its certificate (DANE).
    TlsaInvalid,
    /// The resolver gave no valid answer about the host's TLSA records (DANE).
    DnssecInvalid,
    /// DANE is required by the sending side, and the host has no TLSA records. Nothing here requires that, so it is never
    /// counted; it is there to be read.
    DaneRequired,
    /// The domain's policy could not be fetched (MTA-STS).
    StsPolicyFetchError,
    /// What was fetched is no policy (MTA-STS).
    StsPolicyInvalid,
    /// The certificate of the policy's server is not valid for it (MTA-STS).
    StsWebpkiInvalid,
}

impl ResultType {
    /// All of them with their names (RFC 8460 §6.6).
    pub const NAMES: [(ResultType, &str); 11] = [
        (ResultType::StarttlsNotSupported, "starttls-not-supported"),
        (ResultType::CertificateHostMismatch, "certificate-host-mismatch"),
        (ResultType::CertificateExpired, "certificate-expired"),
        (ResultType::CertificateNotTrusted, "certificate-not-trusted"),
        (ResultType::ValidationFailure, "validation-failure"),
        (ResultType::TlsaInvalid, "tlsa-invalid"),
        (ResultType::DnssecInvalid, "dnssec-invalid"),
        (ResultType::DaneRequired, "dane-required"),
        (ResultType::StsPolicyFetchError, "sts-policy-fetch-error"),
        (ResultType::StsPolicyInvalid, "sts-policy-invalid"),
        (ResultType::StsWebpkiInvalid, "sts-webpki-invalid"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        ResultType::NAMES.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }
}

/// What kind of policy a session was held to (RFC 8460 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyType {
    /// The TLSA records of the mail server (DANE).
    Tlsa,
    /// The domain's policy (MTA-STS).
    Sts,
    /// None was found.
    NoPolicyFound,
}

impl PolicyType {
    /// Its name (RFC 8460 §4.4).
    pub fn name(self) -> &'static str {
        match self {
            PolicyType::Tlsa => "tlsa",
            PolicyType::Sts => "sts",
            PolicyType::NoPolicyFound => "no-policy-found",
        }
    }
}

/// The policy that a session was held to, as a report shows it (RFC 8460 §4.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Applied {
    /// Of which kind it is.
    pub policy_type: PolicyType,
    /// Its lines, or its records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_string: Vec<String>,
    /// Whose it is: the recipient domain's, or the TLSA base domain (RFC 8460 §1.1).
    pub policy_domain: String,
    /// The patterns of mail servers that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mx_host: Vec<String>,
}

impl Applied {
    /// None was found for this domain.
    pub fn none(domain: &str) -> Applied {
        Applied {
            policy_type: PolicyType::NoPolicyFound,
            policy_string: Vec::new(),
            policy_domain: domain.to_owned(),
            mx_host: Vec::new(),
        }
    }

    /// The policy of this domain. One of the mode `none` is no policy.
    pub fn sts(domain: &str, policy: &Policy) -> Applied {
        if policy.mode == Mode::None {
            return Applied::none(domain);
        }
        Applied {
            policy_type: PolicyType::Sts,
            policy_string: policy.lines(),
            policy_domain: domain.to_owned(),
            mx_host: policy.mx.clone(),
        }
    }

    /// The TLSA records (their data as in DNS) of this base domain.
    pub fn tlsa(base: &str, records: &[Vec<u8>]) -> Applied {
        Applied {
            policy_type: PolicyType::Tlsa,
            policy_string: records.iter().filter_map(|record| tlsa_words(record)).collect(),
            policy_domain: base.to_owned(),
            mx_host: Vec::new(),
        }
    }
}

/// A TLSA record as a zone's file writes it (RFC 6698 §2.2).
fn tlsa_words(record: &[u8]) -> Option<String> {
    let [usage, selector, matching, data @ ..] = record else { return None };
    if data.len() > TLSA_OCTETS_MAX {
        return None;
    }
    let hex: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
    Some(format!("{usage} {selector} {matching} {hex}"))
}

/// A session that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How.
    pub result: ResultType,
    /// In words; the beginning is kept.
    pub why: String,
}

impl Failed {
    /// One that failed so, in these words.
    pub fn new(result: ResultType, why: impl Into<String>) -> Failed {
        Failed { result, why: why.into() }
    }
}

/// One session.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The recipient domain, lower case, A-labels.
    pub domain: &'a str,
    /// The policy that it was held to.
    pub applied: &'a Applied,
    /// The mail server; empty where none was dialled.
    pub host: &'a str,
    /// Its address, where it was dialled.
    pub receiving: Option<std::net::IpAddr>,
    /// The address that it was dialled from, where that is known.
    pub sending: Option<std::net::IpAddr>,
    /// How it failed; none where it did not.
    pub failed: Option<&'a Failed>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_result_has_the_name_of_the_registry() {
        for (result, name) in ResultType::NAMES {
            assert_eq!((result.name(), serde_json::to_value(result).unwrap()), (name, name.into()));
        }
        for kind in [PolicyType::Tlsa, PolicyType::Sts, PolicyType::NoPolicyFound] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn policies_are_shown_as_they_were_published() {
        let text = "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmx: *.example.net\r\nmax_age: 86400\r\n";
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let shown = serde_json::to_value(Applied::sts("example.com", &policy)).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            shown,
            serde_json::json!({"policy-type": "sts", "policy-string": lines, "policy-domain": "example.com",
                "mx-host": ["mx1.example.com", "*.example.net"]})
        );
        let none = Policy { mode: Mode::None, mx: Vec::new(), max_age: 1 };
        assert_eq!(Applied::sts("example.com", &none), Applied::none("example.com"));
        let tlsa = Applied::tlsa("mx.example.com", &[vec![3, 1, 1, 0x1f, 0x85], vec![3, 0, 0], vec![7], vec![3; 300]]);
        assert_eq!(tlsa.policy_string, ["3 1 1 1f85", "3 0 0 "]);
    }
}
