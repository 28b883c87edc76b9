//! Where mail for a domain goes: the operator's routes, first match wins; without one, MX.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How TLS is used towards a next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteTls {
    /// Never.
    None,
    /// Where offered, without checking the certificate; fall back to clear (RFC 7435).
    #[default]
    Opportunistic,
    /// Always, with a certificate that is valid for the host.
    Required,
}

/// One of the operator's routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `*`, `example.com`, or `*.example.com`.
    pub pattern: String,
    /// The next hop's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS towards it.
    pub tls: RouteTls,
    /// How long to retry on this route.
    pub retry_for: Option<Duration>,
    /// Sign with keys that have not been seen in DNS.
    pub sign_unpublished: bool,
}

/// Where one recipient's mail goes. Recipients of equal destination share a site, its connections and transactions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// The MX hosts of the domain.
    Mx {
        /// The domain, lower case, A-labels.
        domain: String,
    },
    /// A route's host, by its place in the list.
    Route {
        /// Its place.
        index: usize,
    },
}
