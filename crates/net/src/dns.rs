//! Asks DNS: the questions that delivery and verification have, and what an answer, or none, means.

mod absent;
mod hickory;
mod plan;
mod upstreams;
mod validated;
mod validating;
mod witness;

pub use hickory::{Dns, DnsSettings, Dnssec, check_trust_anchors};
pub use plan::{Hop, MailHosts, PlanFault, addresses_of, mail_hosts, mail_servers};
pub use witness::{Answering, NameServers, Witness};

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// One MX record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// Lower is tried first.
    pub preference: u16,
    /// The host, lower case, without the final dot; empty in a null MX (RFC 7505).
    pub host: String,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The name does not exist: an authority says so (NXDOMAIN).
    #[error("the name does not exist")]
    NoSuchName,
    /// The name exists and has no record of this kind.
    #[error("the name has no such record")]
    NoRecord,
    /// Nothing is known: SERVFAIL, a refusal, a time-out, our own resolver. Ask again later; never a reason to bounce.
    #[error("{0}")]
    Fault(String),
}

/// An answer still under way.
pub type Lookup<'a, T> = Pin<Box<dyn Future<Output = Result<T, LookupError>> + Send + 'a>>;

/// The MX records of a domain, and what DNSSEC says of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VouchedMx {
    /// The records, in no order; none where it is proved that there are none.
    pub records: Vec<Mx>,
    /// Whether they, and the aliases on the way to them, or the proof that there are none, are signed by a chain that begins at
    /// a trust anchor.
    pub is_secure: bool,
    /// The name that has the records: the domain, or what an alias leads to.
    pub owner: String,
}

/// The addresses of a host, and under which names its TLSA records may be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VouchedHost {
    /// The addresses, IPv4 and IPv6 by turns.
    pub addresses: Vec<IpAddr>,
    /// The TLSA base domains to try, in this order (RFC 7672 §2.2.2); none where DNSSEC does not vouch for the host.
    pub bases: Vec<String>,
}

/// Who answers. CNAMEs are followed by the resolver; names are given without a final dot, in A-labels.
///
/// What a question with `vouched` in its name answers was validated (RFC 4035): an answer that should be signed and is
/// not, or wrongly, is a [`LookupError::Fault`]. A resolver that validates nothing answers them as if nothing were signed.
pub trait Resolver: Send + Sync + 'static {
    /// The MX records of a domain, in no order.
    fn mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, Vec<Mx>>;

    /// The addresses of a host, IPv4 and IPv6 by turns. A fault of one family is no fault where the other answered.
    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>>;

    /// The TXT records of a name, the strings of each joined (RFC 7208 §3.3).
    fn txt<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<String>>;

    /// The MX records of a domain, validated. [`LookupError::NoRecord`] is an absence that nobody vouches for; one that is proved
    /// is an answer without records (RFC 7672 §2.2).
    fn vouched_mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, VouchedMx> {
        Box::pin(async move {
            Ok(VouchedMx { records: self.mx(domain).await?, is_secure: false, owner: domain.to_owned() })
        })
    }

    /// The addresses of a host, validated. A fault of one family is no fault where the other answered.
    fn vouched_host<'a>(&'a self, host: &'a str) -> Lookup<'a, VouchedHost> {
        Box::pin(async move { Ok(VouchedHost { addresses: self.addresses(host).await?, bases: Vec::new() }) })
    }

    /// The data of the TLSA records of a name (RFC 6698 §2.1). Records that are not signed are none.
    fn vouched_tlsa<'a>(&'a self, _name: &'a str) -> Lookup<'a, Vec<Vec<u8>>> {
        Box::pin(async { Err(LookupError::NoRecord) })
    }

    /// Whether nothing can be validated for now, and that may soon be otherwise: what a question with `vouched` in its name answers
    /// meanwhile is no proof that something is not signed.
    fn is_blind(&self) -> bool {
        false
    }
}

/// The strings of a TXT record joined.
fn text(txt: &hickory_resolver::proto::rr::rdata::TXT) -> String {
    String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()
}

#[cfg(test)]
pub(crate) mod tests;
