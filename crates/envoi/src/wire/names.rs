//! How DNS is asked, as the configuration says.

use net::dns::{DnsSettings, LookupError};
use relay::service::Fault;

use crate::config::Config;

/// How DNS is asked for mail and webhooks.
pub(crate) fn dns_settings(config: &Config) -> Result<DnsSettings, Fault> {
    let delivery = &config.delivery;
    let anchors = delivery.trust_anchors.as_ref().map(|file| {
        std::fs::read_to_string(file).map_err(|error| {
            let what = format!("The trust anchors in {} cannot be read: {error}.", file.display());
            Fault::invalid(what, "Name a file with the DNSKEY records of the root.")
        })
    });
    Ok(DnsSettings {
        servers: delivery.name_servers.clone(),
        dnssec: delivery.dane,
        trust_anchors: anchors.transpose()?,
        ..DnsSettings::default()
    })
}

/// The name servers cannot be asked at all.
pub(super) fn unusable(error: &LookupError) -> Fault {
    Fault::unavailable(
        format!("The name servers of the system cannot be read: {error}."),
        "Put /etc/resolv.conf right, or name resolvers with `name_servers` below [delivery].",
    )
}
