//! The name servers that are asked: all of them at once, and one after the other where the first answer is of no use.

use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{ResolverBuilder, TokioResolver};

use super::LookupError;
use super::hickory::{DnsSettings, adjust, fault, meaning, name_server};

/// All name servers together, and each by itself where there are several.
pub(super) struct Upstreams {
    together: TokioResolver,
    each: Vec<TokioResolver>,
}

impl Upstreams {
    /// These ([`configured`]); `change` is made to each that asks.
    ///
    /// # Errors
    /// They cannot be asked; in words for the operator.
    pub(super) fn new(
        servers: &[NameServerConfig],
        settings: &DnsSettings,
        change: impl Fn(ResolverBuilder<TokioRuntimeProvider>) -> ResolverBuilder<TokioRuntimeProvider>,
    ) -> Result<Upstreams, LookupError> {
        let build = |servers: Vec<NameServerConfig>, settings: &DnsSettings| {
            change(asking(servers, settings)).build().map_err(|error| fault(&error))
        };
        // they are asked seldom, and memory has one bound
        let forgetful = DnsSettings { cache_answers_max: 0, ..settings.clone() };
        let several = if servers.len() > 1 { servers } else { &[] };
        let each = several.iter().map(|server| build(vec![server.clone()], &forgetful)).collect::<Result<_, _>>()?;
        Ok(Upstreams { together: build(servers.to_vec(), settings)?, each })
    }

    /// Asks. The library takes the first answer for that of all, though it be a refusal: then each is asked by itself, in their
    /// order, until one has an answer.
    ///
    /// # Errors
    /// What the last one said.
    pub(super) async fn lookup(&self, name: Name, kind: RecordType) -> Result<Lookup, NetError> {
        let mut found = self.together.lookup(name.clone(), kind).await;
        for one in &self.each {
            match &found {
                Err(error) if is_useless(error) => found = one.lookup(name.clone(), kind).await,
                _ => break,
            }
        }
        found
    }
}

/// Whether a name server answered, and the answer is a fault. Where none did, all were asked.
fn is_useless(error: &NetError) -> bool {
    matches!(error, NetError::Dns(_)) && matches!(meaning(error), LookupError::Fault(_))
}

/// The name servers of the settings, or the system's as they are now.
///
/// # Errors
/// The system's configuration cannot be read or names no server; in words for the operator.
pub(super) fn configured(settings: &DnsSettings) -> Result<Vec<NameServerConfig>, LookupError> {
    if settings.servers.is_empty() {
        return Ok(read_system_conf().map_err(|error| fault(&error))?.0.name_servers().to_vec());
    }
    Ok(settings.servers.iter().map(name_server).collect())
}

/// What asks these servers.
pub(super) fn asking(servers: Vec<NameServerConfig>, settings: &DnsSettings) -> ResolverBuilder<TokioRuntimeProvider> {
    let config = ResolverConfig::from_name_servers(servers);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    adjust(builder.options_mut(), settings);
    builder
}
