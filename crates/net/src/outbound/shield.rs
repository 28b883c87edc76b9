//! What is asked of the connection with one hop before mail goes over it: nothing, TLS, or TLS with the right certificate.

use relay::dane::{self, Dane, Reading};
use relay::outcome::{Failure, Finding};
use relay::route::RouteTls;
use smtp::client::Tls;
use std::sync::Arc;

use crate::dns::{LookupError, Resolver};

/// What is asked of a connection.
#[derive(Clone, Debug)]
pub(super) enum Shield {
    /// What the operator's route says; for hosts that DNS named, as much as is offered.
    Route(RouteTls),
    /// TLS, whoever is at the other end: the host has TLSA records, and none that can be used (RFC 7672 §2.2).
    Encrypted,
    /// TLS, with a certificate that the host's TLSA records speak of.
    Dane(Arc<Dane>),
}

impl Shield {
    /// How the conversation goes about it.
    pub(super) fn tls(&self) -> Tls {
        match self {
            Shield::Route(RouteTls::None) => Tls::Never,
            Shield::Route(RouteTls::Opportunistic) => Tls::Opportunistic,
            Shield::Route(RouteTls::Required) | Shield::Encrypted | Shield::Dane(_) => Tls::Required,
        }
    }

    /// An attempt over a connection with this version of TLS, in the words of activity.
    pub(super) fn shown(&self, version: &str) -> String {
        match self {
            Shield::Route(_) => version.to_owned(),
            Shield::Encrypted => format!("{version}, DANE without usable records"),
            Shield::Dane(_) => format!("{version}, DANE"),
        }
    }

    /// A finding, where TLS is what failed with the words for who wants it.
    pub(super) fn blame(&self, host: &str, finding: Finding) -> Finding {
        let Finding::Failed(Failure::Tls(why)) = finding else { return finding };
        Finding::Failed(Failure::Tls(match self {
            Shield::Route(_) => why,
            Shield::Encrypted | Shield::Dane(_) => format!("{host} has TLSA records, and {why}"),
        }))
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

/// What the TLSA records of a host ask (RFC 7672 §2.2.2): the first name that has some decides. None where it has none.
///
/// # Errors
/// Nobody can say what they ask: the host must not be used now.
pub(super) async fn by_tlsa(
    resolver: &dyn Resolver,
    subject: Subject<'_>,
    records_max: usize,
) -> Result<Option<Shield>, LookupError> {
    for base in subject.bases {
        let records = match resolver.vouched_tlsa(&format!("_{}._tcp.{base}", subject.port)).await {
            Ok(records) => records,
            Err(LookupError::NoRecord | LookupError::NoSuchName) => continue,
            Err(fault) => return Err(fault),
        };
        return Ok(match dane::read(records.iter().map(Vec::as_slice), records_max) {
            Reading::Absent => continue,
            Reading::Unusable => Some(Shield::Encrypted),
            Reading::Usable(records) => {
                let further = subject.names.iter().map(String::as_str).chain([subject.host]);
                let mut names: Vec<String> = Vec::new();
                for name in further.filter(|name| name != base) {
                    if !names.iter().any(|named| named == name) {
                        names.push(name.to_owned());
                    }
                }
                Some(Shield::Dane(Arc::new(Dane::new(base.clone(), names, records))))
            }
        });
    }
    Ok(None)
}
