//! The certificates that clients are shown: read from files, or come by themselves.

use net::acme::{Acme, AcmeSettings};
use net::clock::Clock;
use net::tls::Certificates;
use relay::service::Fault;
use std::sync::Arc;

use super::authorities;
use crate::config::{self, Config};
use crate::execute::Kept;

/// The certificates, and what renews that which comes by itself.
pub(super) fn kept(config: &Config, clock: &Arc<dyn Clock>) -> Result<Kept, Fault> {
    let settings = config.acme.as_ref().map(|acme| acme_settings(config, acme)).transpose()?;
    if let Some(settings) = &settings {
        settings.stand_in(clock.now()).map_err(|error| {
            let what = format!("No first certificate can be made in {}: {error}.", settings.folder.display());
            Fault::unavailable(what, "The user that runs the relay has to be able to write there.")
        })?;
    }
    let certificates = Certificates::load(config.certificate_files()).map_err(|error| {
        Fault::invalid(
            format!("A certificate cannot be used: {error}."),
            "`envoi config check` says what is wrong with it.",
        )
        .meaning("Without it no client can log in: nothing was started.")
    })?;
    let acme = settings.map(|settings| Acme::new(settings, Arc::clone(&certificates), Arc::clone(clock)));
    Ok(Kept { certificates, acme })
}

fn acme_settings(config: &Config, acme: &config::Acme) -> Result<AcmeSettings, Fault> {
    Ok(AcmeSettings {
        directory: acme.directory.clone(),
        names: acme.names.clone(),
        contact: acme.contact.clone(),
        challenge: acme.challenge,
        folder: config.acme_folder(),
        authorities: acme.ca_file.as_ref().map(authorities).transpose()?.unwrap_or_default(),
    })
}
