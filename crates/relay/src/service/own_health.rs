//! What a relay says of itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use utoipa::ToSchema;

use super::view::CertificateView;
use crate::dane::Validation;

/// What a relay says of itself, for `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether a server answered (and not the command itself, with the data folder open).
    pub running: bool,
    /// Seconds since the server started.
    pub up_seconds: u64,
    /// Where it listens for STARTTLS.
    #[schema(value_type = Vec<String>)]
    pub starttls: Vec<std::net::SocketAddr>,
    /// Where it listens for TLS.
    #[schema(value_type = Vec<String>)]
    pub tls: Vec<std::net::SocketAddr>,
    /// The store.
    pub store: crate::store::StoreHealth,
    /// Blocks in force.
    pub blocks: u64,
    /// Requests for a plan that wait for the operator.
    #[serde(default)]
    pub plan_requests: u64,
    /// Connections now.
    pub connections: u64,
    /// The address with most of them (IPv6: the first of its /64), and how many these are.
    #[schema(value_type = Option<(String, u64)>)]
    pub busiest_address: Option<(IpAddr, u64)>,
    /// The certificates that clients are shown.
    #[serde(default)]
    pub certificates: Vec<CertificateView>,
    /// How many accounts are in each state; a state of none is left out.
    #[serde(default)]
    pub accounts: BTreeMap<String, u64>,
    /// How many sending domains are in each state; a state of none is left out.
    #[serde(default)]
    pub domains: BTreeMap<String, u64>,
    /// How many sending domains keep their signing key though its time is over, because the next one's record is missing.
    #[serde(default)]
    pub overdue_keys: u64,
    /// The name of the first such record.
    #[serde(default)]
    pub overdue_key: Option<String>,
    /// What the server found of DNSSEC when it last looked; none where no server answered.
    #[serde(default)]
    pub dnssec: Option<Validation>,
}
