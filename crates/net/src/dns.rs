//! Asks DNS: the questions that delivery and verification have, and what an answer, or none, means.

mod hickory;
mod plan;
mod witness;

pub use hickory::{Dns, DnsSettings};
pub use plan::{Hop, PlanFault, addresses_of, mail_hosts, mail_servers};
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

/// Who answers. CNAMEs are followed by the resolver; names are given without a final dot, in A-labels.
pub trait Resolver: Send + Sync + 'static {
    /// The MX records of a domain, in no order.
    fn mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, Vec<Mx>>;

    /// The addresses of a host, IPv4 and IPv6 by turns. A fault of one family is no fault where the other answered.
    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>>;

    /// The TXT records of a name, the strings of each joined (RFC 7208 §3.3).
    fn txt<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<String>>;
}

/// The strings of a TXT record joined.
fn text(txt: &hickory_resolver::proto::rr::rdata::TXT) -> String {
    String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()
}

#[cfg(test)]
pub(crate) mod tests;
