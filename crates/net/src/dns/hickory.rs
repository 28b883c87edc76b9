//! The resolver that asks the system's name servers, or those that it is given (hickory).

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverOpts};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use relay::dane::Validation;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::upstreams::{Upstreams, configured};
use super::validated::{Answer, Nothing, bogus, signed};
use super::validating::Validating;
use super::{Lookup, LookupError, Mx, Resolver, VouchedHost, VouchedMx, text};
use crate::shutdown::Shutdown;

/// Whether answers are validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dnssec {
    /// Never.
    #[default]
    Off,
    /// Where the name servers hand on what validating needs, which is looked at with the first question, and again from time to
    /// time. Whoever can change their answers from the start on can keep it off; once it was on, nobody can.
    Auto,
    /// Always.
    On,
}

/// How DNS is asked.
#[derive(Clone, Debug)]
pub struct DnsSettings {
    /// The name servers, recursive ones; empty: the system's.
    pub servers: Vec<SocketAddr>,
    /// How long one query may take.
    pub query_max: Duration,
    /// How often a query is sent before it is given up.
    pub attempts: usize,
    /// How long one question may take in all, retries and CNAMEs included.
    pub question_max: Duration,
    /// Answers kept in memory.
    pub cache_answers_max: u64,
    /// How long an answer is kept at most, whatever its TTL says.
    pub cache_ttl_max: Duration,
    /// Whether answers are validated where that is asked for.
    pub dnssec: Dnssec,
    /// DNSKEY records to begin at, of the root, as in a zone's file; none: those of the internet's root.
    pub trust_anchors: Option<String>,
}

impl Default for DnsSettings {
    fn default() -> Self {
        DnsSettings {
            servers: Vec::new(),
            query_max: Duration::from_secs(5),
            attempts: 3,
            question_max: Duration::from_secs(30),
            cache_answers_max: 16_384,
            cache_ttl_max: Duration::from_secs(3600),
            dnssec: Dnssec::Off,
            trust_anchors: None,
        }
    }
}

/// The real resolver: queries, follows CNAMEs, keeps answers for their TTL.
pub struct Dns {
    upstreams: Upstreams,
    validating: Option<Validating>,
    question_max: Duration,
}

impl Dns {
    /// A resolver. Must be called inside the runtime.
    ///
    /// # Errors
    /// The system's configuration cannot be read or names no server; in words for the operator.
    pub fn new(settings: &DnsSettings) -> Result<Dns, LookupError> {
        Dns::asking(configured(settings)?, settings)
    }

    /// A resolver that asks these, whoever the system names later: what is validated, and whether that is possible, is asked of
    /// the same servers.
    pub(super) fn asking(servers: Vec<NameServerConfig>, settings: &DnsSettings) -> Result<Dns, LookupError> {
        let upstreams = Upstreams::new(&servers, settings, |builder| builder)?;
        let validating = match settings.dnssec {
            Dnssec::Off => None,
            Dnssec::Auto | Dnssec::On => Some(Validating::new(servers, settings)?),
        };
        Ok(Dns { upstreams, validating, question_max: settings.question_max })
    }

    /// What an address is called in reverse DNS (PTR).
    ///
    /// # Errors
    /// As every question here.
    pub async fn names_of(&self, address: IpAddr) -> Result<Vec<String>, LookupError> {
        let mut name = Name::from(address);
        name.set_fqdn(true);
        let data = self.ask_for(name, RecordType::PTR).await?;
        Ok(data
            .into_iter()
            .filter_map(|data| if let RData::PTR(name) = data { Some(plain(&name)) } else { None })
            .collect())
    }

    /// What was found of DNSSEC when it was last looked at.
    pub fn dnssec(&self) -> Validation {
        self.validating.as_ref().map_or(Validation::Off, Validating::found)
    }

    /// Looks, within this time, whether answers can be validated here; from now on they are as that says, and as
    /// [`Dnssec`] does.
    ///
    /// # Errors
    /// A fault, where nothing could be told and nothing was known before.
    pub async fn look_at_dnssec(&self, patience: Duration) -> Result<Validation, LookupError> {
        let Some(validating) = &self.validating else { return Ok(Validation::Off) };
        let late = || LookupError::Fault("the name servers did not answer in time".into());
        let looked = tokio::time::timeout(patience, validating.look()).await.unwrap_or_else(|_| Err(late()));
        match (looked, self.dnssec()) {
            (Err(fault), Validation::Unknown) => Err(fault),
            (_, found) => Ok(found),
        }
    }

    /// Looks from time to time whether answers can be validated here, until shutdown.
    pub async fn watch_dnssec(self: Arc<Self>, shutdown: Shutdown) {
        let Some(validating) = &self.validating else { return };
        loop {
            tokio::select! {
                () = shutdown.begun() => return,
                () = tokio::time::sleep(validating.look_again_in()) => {}
            }
            tokio::select! {
                () = shutdown.begun() => return,
                looked = self.look_at_dnssec(self.question_max) => tracing::debug!(?looked, "looked at DNSSEC"),
            }
        }
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, LookupError> {
        self.ask_for(absolute(name)?, kind).await
    }

    async fn ask_for(&self, name: Name, kind: RecordType) -> Result<Vec<RData>, LookupError> {
        let answer = self.within_time(self.upstreams.lookup(name, kind)).await?.map_err(|error| meaning(&error))?;
        let records = answer.answers().iter().filter(|record| record.record_type() == kind);
        let data: Vec<RData> = records.map(|record| record.data.clone()).collect();
        if data.is_empty() { Err(LookupError::NoRecord) } else { Ok(data) }
    }

    async fn within_time<T>(&self, asking: impl Future<Output = T>) -> Result<T, LookupError> {
        let late = |_| LookupError::Fault("the name servers did not answer in time".into());
        tokio::time::timeout(self.question_max, asking).await.map_err(late)
    }

    /// What validates, where that is possible here. `domain` is asked about otherwise where nobody can tell for too long.
    ///
    /// # Errors
    /// A fault, while nothing can be told.
    async fn validating(&self, domain: &str) -> Result<Option<&Validating>, LookupError> {
        let Some(validating) = &self.validating else { return Ok(None) };
        let fault = match self.within_time(validating.is_possible()).await.flatten() {
            Ok(is_possible) => return Ok(is_possible.then_some(validating)),
            Err(fault) => fault,
        };
        if !validating.is_unknown_for_long() || matches!(self.mx(domain).await, Err(LookupError::Fault(_))) {
            return Err(fault);
        }
        validating.give_up(fault.to_string());
        Ok(None)
    }

    async fn validated(&self, by: &Validating, name: &str, kind: RecordType) -> Result<Answer, Nothing> {
        self.within_time(by.ask(absolute(name)?, kind)).await?
    }
}

/// Looks whether `text` holds DNSKEY records of the root, as in a zone's file.
///
/// # Errors
/// What is wrong with it, in words for the operator.
pub fn check_trust_anchors(text: &str) -> Result<(), String> {
    trust_anchors(text).map(drop)
}

pub(super) fn trust_anchors(text: &str) -> Result<TrustAnchors, String> {
    let anchors: TrustAnchors =
        text.parse().map_err(|error| format!("these are no DNSKEY records as in a zone's file: {error}"))?;
    if anchors.is_empty() { Err("there is no DNSKEY record of the root".into()) } else { Ok(anchors) }
}

/// How long is kept that something does not exist.
pub(super) fn absent_ttl_max(settings: &DnsSettings) -> Duration {
    settings.cache_ttl_max.min(Duration::from_secs(300))
}

pub(super) fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connection = |protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    };
    NameServerConfig::new(address.ip(), true, vec![connection(ProtocolConfig::Udp), connection(ProtocolConfig::Tcp)])
}

pub(super) fn adjust(options: &mut ResolverOpts, settings: &DnsSettings) {
    options.timeout = settings.query_max;
    options.attempts = settings.attempts;
    options.cache_size = settings.cache_answers_max;
    options.positive_max_ttl = Some(settings.cache_ttl_max);
    options.negative_max_ttl = Some(absent_ttl_max(settings));
    options.try_tcp_on_error = true;
    // room for a burst of deliveries to many domains; past it the library says Busy, which is a fault that passes
    options.max_active_requests = 1024;
}

/// An absolute name: never completed from the system's search list.
pub(super) fn absolute(name: &str) -> Result<Name, LookupError> {
    let mut name = Name::from_ascii(name).map_err(|_| LookupError::NoSuchName)?;
    name.set_fqdn(true);
    Ok(name)
}

pub(super) fn meaning(error: &NetError) -> LookupError {
    let none = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => none,
        NetError::Dns(DnsError::DnssecBogus) => return bogus(),
        // that there is nothing is proved, or known to need no proof
        NetError::Dns(DnsError::Nsec { response, proof, .. }) => {
            return match (signed(*proof), response.response_code) {
                (Err(bogus), _) => bogus,
                (Ok(_), ResponseCode::NXDomain) => LookupError::NoSuchName,
                (Ok(_), _) => LookupError::NoRecord,
            };
        }
        _ => return fault(error),
    };
    match none.response_code {
        ResponseCode::NXDomain => LookupError::NoSuchName,
        // a referral instead of an answer: that server does not resolve for us
        ResponseCode::NoError if none.ns.is_some() && none.soa.is_none() => {
            LookupError::Fault("the name server referred us to others instead of answering".into())
        }
        ResponseCode::NoError => LookupError::NoRecord,
        code => LookupError::Fault(code.to_string()),
    }
}

pub(super) fn fault(error: &NetError) -> LookupError {
    LookupError::Fault(match error {
        NetError::Timeout => "the name servers did not answer in time".into(),
        NetError::Dns(DnsError::ResponseCode(code)) => format!("the name server answered {code}"),
        other => other.to_string(),
    })
}

/// A name as it is used further on: lower case, without the final dot.
pub(super) fn plain(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    text.strip_suffix('.').map(str::to_owned).unwrap_or(text)
}

impl Resolver for Dns {
    fn mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, Vec<Mx>> {
        Box::pin(async move { Ok(self.ask(domain, RecordType::MX).await?.into_iter().filter_map(mx_record).collect()) })
    }

    fn vouched_mx<'a>(&'a self, domain: &'a str) -> Lookup<'a, VouchedMx> {
        Box::pin(async move {
            let Some(validating) = self.validating(domain).await? else {
                return Ok(VouchedMx { records: self.mx(domain).await?, is_secure: false, owner: domain.to_owned() });
            };
            let Answer { data, is_secure, owner, .. } = match self.validated(validating, domain, RecordType::MX).await {
                Err(Nothing { why: LookupError::NoRecord, is_proved: true, .. }) => {
                    return Ok(VouchedMx { records: Vec::new(), is_secure: true, owner: domain.to_owned() });
                }
                found => found?,
            };
            Ok(VouchedMx { records: data.into_iter().filter_map(mx_record).collect(), is_secure, owner })
        })
    }

    fn vouched_host<'a>(&'a self, host: &'a str) -> Lookup<'a, VouchedHost> {
        Box::pin(async move {
            let Some(validating) = self.validating(host).await? else {
                return Ok(VouchedHost { addresses: self.addresses(host).await?, bases: Vec::new() });
            };
            let ask = |kind| self.validated(validating, host, kind);
            let (v4, v6) = tokio::join!(ask(RecordType::A), ask(RecordType::AAAA));
            // where one family is vouched for, the other must not lead past that
            let bases = [&v4, &v6].into_iter().flatten().map(|answer| answer.bases(host));
            let bases = bases.max_by_key(Vec::len).unwrap_or_default();
            let data = |found: Result<Answer, Nothing>| found.map(|answer| answer.data).map_err(LookupError::from);
            Ok(VouchedHost { addresses: both_families(data(v4), data(v6))?, bases })
        })
    }

    fn vouched_tlsa<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<Vec<u8>>> {
        Box::pin(async move {
            let Some(validating) = self.validating(name).await? else { return Err(LookupError::NoRecord) };
            let answer = self.validated(validating, name, RecordType::TLSA).await?;
            if !answer.is_secure {
                return Err(LookupError::NoRecord);
            }
            let record = |data| match data {
                RData::TLSA(tlsa) => {
                    let head = [tlsa.cert_usage.into(), tlsa.selector.into(), tlsa.matching.into()];
                    Some([&head[..], &tlsa.cert_data].concat())
                }
                _ => None,
            };
            Ok(answer.data.into_iter().filter_map(record).collect())
        })
    }

    fn is_blind(&self) -> bool {
        self.validating.as_ref().is_some_and(Validating::is_without_for_now)
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Lookup<'a, Vec<IpAddr>> {
        Box::pin(async move {
            let (v4, v6) = tokio::join!(self.ask(host, RecordType::A), self.ask(host, RecordType::AAAA));
            both_families(v4, v6)
        })
    }

    fn txt<'a>(&'a self, name: &'a str) -> Lookup<'a, Vec<String>> {
        Box::pin(async move {
            let data = self.ask(name, RecordType::TXT).await?;
            let record = |data| match data {
                RData::TXT(txt) => Some(text(&txt)),
                _ => None,
            };
            Ok(data.into_iter().filter_map(record).collect())
        })
    }
}

fn mx_record(data: RData) -> Option<Mx> {
    match data {
        RData::MX(mx) => Some(Mx { preference: mx.preference, host: plain(&mx.exchange) }),
        _ => None,
    }
}

fn both_families(
    v4: Result<Vec<RData>, LookupError>,
    v6: Result<Vec<RData>, LookupError>,
) -> Result<Vec<IpAddr>, LookupError> {
    let (v4, v6) = match (v4, v6) {
        (Err(fault @ LookupError::Fault(_)), Err(_)) | (Err(_), Err(fault @ LookupError::Fault(_))) => {
            return Err(fault);
        }
        (Err(LookupError::NoSuchName), Err(LookupError::NoSuchName)) => return Err(LookupError::NoSuchName),
        (Err(_), Err(_)) => return Err(LookupError::NoRecord),
        (v4, v6) => (v4.unwrap_or_default(), v6.unwrap_or_default()),
    };
    let address = |data: RData| data.ip_addr();
    let (mut v4, mut v6) = (v4.into_iter().filter_map(address), v6.into_iter().filter_map(address));
    let mut turns = Vec::new();
    loop {
        let before = turns.len();
        turns.extend(v4.next());
        turns.extend(v6.next());
        if turns.len() == before {
            return Ok(turns);
        }
    }
}
