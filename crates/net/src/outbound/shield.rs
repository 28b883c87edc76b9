//! What is asked of the connection with one hop before mail goes over it: nothing, TLS, or TLS with the right certificate.

use relay::dane::{self, Dane, Reading};
use relay::mta_sts::{Mode, Policy};
use relay::outcome::{Failure, Finding};
use relay::route::RouteTls;
use smtp::client::Tls;
use std::sync::Arc;

use crate::dns::{LookupError, Resolver};

/// How a connection was protected, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Clear,
    /// By TLS; a route may have had the certificate checked.
    Tls,
    /// By TLS, with a certificate that TLSA records speak of.
    Dane,
    /// By TLS, with a certificate as a policy demands it.
    MtaSts,
    /// As a policy that is tried out would demand it.
    Tested,
    /// Otherwise than a policy that is tried out would demand it.
    Doubted,
}

impl Protection {
    /// All of them with their names in metrics.
    pub(crate) const NAMES: [(Protection, &str); 6] = [
        (Protection::Clear, "clear"),
        (Protection::Tls, "tls"),
        (Protection::Dane, "dane"),
        (Protection::MtaSts, "mta_sts"),
        (Protection::Tested, "mta_sts_testing"),
        (Protection::Doubted, "mta_sts_testing_would_fail"),
    ];
}

/// What is asked of a connection.
#[derive(Clone, Debug)]
pub(super) enum Shield {
    /// What the operator's route says; for hosts that DNS named, as much as is offered.
    Route(RouteTls),
    /// TLS, whoever is at the other end: the host has TLSA records, and none that can be used (RFC 7672 §2.2).
    Encrypted,
    /// TLS, with a certificate that the host's TLSA records speak of.
    Dane(Arc<Dane>),
    /// TLS, with a certificate that is valid for the host: the policy of this domain demands it (RFC 8461 §5).
    Sts(Arc<str>),
    /// TLS, with a certificate that is valid for the host: the sender of the mail demands it (RFC 8689 §4.2.1).
    Demanded,
    /// As much as is offered, and what a policy that is tried out would have refused is told. `is_listed`: it admits the
    /// host.
    StsTesting {
        /// Whether the policy admits the host.
        is_listed: bool,
    },
}

impl Shield {
    /// How the conversation goes about it.
    pub(super) fn tls(&self) -> Tls {
        match self {
            Shield::Route(RouteTls::None) => Tls::Never,
            Shield::Route(RouteTls::Opportunistic) | Shield::StsTesting { .. } => Tls::Opportunistic,
            Shield::Route(RouteTls::Encrypted | RouteTls::Required)
            | Shield::Encrypted
            | Shield::Dane(_)
            | Shield::Demanded
            | Shield::Sts(_) => Tls::Required,
        }
    }

    /// How a connection is protected that has TLS or not, and whose certificate was doubted or not.
    pub(super) fn protection(&self, is_encrypted: bool, is_doubted: bool) -> Protection {
        match self {
            Shield::StsTesting { is_listed: true } if is_encrypted && !is_doubted => Protection::Tested,
            Shield::StsTesting { .. } => Protection::Doubted,
            _ if !is_encrypted => Protection::Clear,
            Shield::Route(_) | Shield::Encrypted | Shield::Demanded => Protection::Tls,
            Shield::Dane(_) => Protection::Dane,
            Shield::Sts(_) => Protection::MtaSts,
        }
    }

    /// A connection with this version of TLS, in the words of activity. `doubt`: what was wrong with the certificate, where
    /// that was looked at and did not matter.
    pub(super) fn shown(&self, version: &str, doubt: Option<&str>) -> String {
        match self {
            Shield::Route(_) | Shield::Demanded => version.to_owned(),
            Shield::Encrypted => format!("{version}, DANE without usable records"),
            Shield::Dane(_) => format!("{version}, DANE"),
            Shield::Sts(_) => format!("{version}, MTA-STS"),
            Shield::StsTesting { is_listed: false } => tested(version, Some("the policy does not name this server")),
            Shield::StsTesting { is_listed: true } => tested(version, doubt),
        }
    }

    /// A connection in the clear, and why, in the words of activity.
    pub(super) fn shown_clear(&self, why: Option<&str>) -> String {
        let clear = why.map_or_else(|| "none".to_owned(), |why| format!("none ({why})"));
        match self {
            Shield::StsTesting { .. } => tested(&clear, Some("the server has no TLS")),
            _ => clear,
        }
    }

    /// A finding, where TLS is what failed with the words for who wants it.
    pub(super) fn blame(&self, host: &str, finding: Finding) -> Finding {
        let Finding::Failed(Failure::Tls(why)) = finding else { return finding };
        Finding::Failed(Failure::Tls(match self {
            Shield::Route(_) | Shield::Demanded | Shield::StsTesting { .. } => why,
            Shield::Encrypted | Shield::Dane(_) => format!("{host} has TLSA records, and {why}"),
            Shield::Sts(domain) => format!("the MTA-STS policy of {domain} demands it, and {why}"),
        }))
    }
}

fn tested(shown: &str, doubt: Option<&str>) -> String {
    match doubt {
        Some(doubt) => format!("{shown}, MTA-STS testing (would fail: {doubt})"),
        None => format!("{shown}, MTA-STS testing"),
    }
}

/// What a policy asks of the connection with this host of the domain.
///
/// # Errors
/// It does not admit the host.
pub(super) fn by_policy(domain: &str, policy: &Policy, host: &str) -> Result<Shield, Finding> {
    let is_listed = policy.admits(host);
    match policy.mode {
        Mode::None => Ok(Shield::Route(RouteTls::Opportunistic)),
        Mode::Testing => Ok(Shield::StsTesting { is_listed }),
        Mode::Enforce if is_listed => Ok(Shield::Sts(domain.into())),
        Mode::Enforce => {
            let why = format!("the MTA-STS policy of {domain} does not name the mail server {host}");
            Err(Finding::Failed(Failure::Tls(why)))
        }
    }
}

/// Whom TLSA records are looked up for.
pub(super) struct Subject<'a> {
    /// The mail server.
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// Under which names DNSSEC vouches for it, in the order in which they are tried.
    pub(super) bases: &'a [String],
    /// Names that a certificate may be for besides.
    pub(super) names: &'a [String],
}

/// TLSA records of a host, and what they ask.
pub(super) struct Asked {
    pub(super) shield: Shield,
    /// The TLSA base domain.
    pub(super) base: String,
    /// Their data, as in DNS.
    pub(super) records: Vec<Vec<u8>>,
}

/// What the TLSA records of a host ask (RFC 7672 §2.2.2): the first name that has some decides. None where it has none.
///
/// # Errors
/// Nobody can say what they ask: the host must not be used now.
pub(super) async fn by_tlsa(
    resolver: &dyn Resolver,
    subject: Subject<'_>,
    records_max: usize,
) -> Result<Option<Asked>, LookupError> {
    for base in subject.bases {
        let records = match resolver.vouched_tlsa(&format!("_{}._tcp.{base}", subject.port)).await {
            Ok(records) => records,
            Err(LookupError::NoRecord | LookupError::NoSuchName) => continue,
            Err(fault) => return Err(fault),
        };
        let shield = match dane::read(records.iter().map(Vec::as_slice), records_max) {
            Reading::Absent => continue,
            Reading::Unusable => Shield::Encrypted,
            Reading::Usable(usable) => {
                let further = subject.names.iter().map(String::as_str).chain([subject.host]);
                let mut names: Vec<String> = Vec::new();
                for name in further.filter(|name| name != base) {
                    if !names.iter().any(|named| named == name) {
                        names.push(name.to_owned());
                    }
                }
                Shield::Dane(Arc::new(Dane::new(base.clone(), names, usable)))
            }
        };
        return Ok(Some(Asked { shield, base: base.clone(), records }));
    }
    Ok(None)
}
