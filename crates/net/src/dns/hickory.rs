//! The resolver that asks the system's name servers, or those that it is given (hickory).

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Lookup, LookupError, Mx, Resolver, text};

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
        }
    }
}

/// The real resolver: queries, follows CNAMEs, keeps answers for their TTL.
pub struct Dns {
    resolver: TokioResolver,
    question_max: Duration,
}

impl Dns {
    /// A resolver. Must be called inside the runtime.
    ///
    /// # Errors
    /// The system's configuration cannot be read or names no server; in words for the operator.
    pub fn new(settings: &DnsSettings) -> Result<Dns, LookupError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if settings.servers.is_empty() {
            TokioResolver::builder(provider).map_err(|error| fault(&error))?
        } else {
            let servers = settings.servers.iter().map(name_server).collect();
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), provider)
        };
        adjust(builder.options_mut(), settings);
        let resolver = builder.build().map_err(|error| fault(&error))?;
        Ok(Dns { resolver, question_max: settings.question_max })
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

    async fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, LookupError> {
        self.ask_for(absolute(name)?, kind).await
    }

    async fn ask_for(&self, name: Name, kind: RecordType) -> Result<Vec<RData>, LookupError> {
        let answer = match tokio::time::timeout(self.question_max, self.resolver.lookup(name, kind)).await {
            Ok(answer) => answer.map_err(|error| meaning(&error))?,
            Err(_) => return Err(LookupError::Fault("the name servers did not answer in time".into())),
        };
        let records = answer.answers().iter().filter(|record| record.record_type() == kind);
        let data: Vec<RData> = records.map(|record| record.data.clone()).collect();
        if data.is_empty() { Err(LookupError::NoRecord) } else { Ok(data) }
    }
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
    options.negative_max_ttl = Some(settings.cache_ttl_max.min(Duration::from_secs(300)));
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
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return fault(error) };
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
        Box::pin(async move {
            let data = self.ask(domain, RecordType::MX).await?;
            let record = |data| match data {
                RData::MX(mx) => Some(Mx { preference: mx.preference, host: plain(&mx.exchange) }),
                _ => None,
            };
            Ok(data.into_iter().filter_map(record).collect())
        })
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
