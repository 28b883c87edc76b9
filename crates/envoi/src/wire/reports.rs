//! Where other servers report on mail that has left: the addresses that it goes out with, and who listens there.

use net::dns::Witness;
use net::inbound;
use relay::dmarc_report::Addresses;
use relay::outcome::rules::Rules;
use relay::return_path::ReturnPaths;
use relay::service::Fault;
use relay::store::Book;
use smtp::address::Address;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Ground, listen_fault};
use crate::config::Config;

/// The sockets, bound before anything else is begun.
pub(super) fn listeners(config: &Config) -> Result<Vec<inbound::Listener>, Fault> {
    let bind = |address: &SocketAddr| inbound::Listener::bind(*address).map_err(|error| listen_fault(*address, &error));
    config.reports.listen.iter().map(bind).collect()
}

impl Ground {
    /// What makes the addresses that mail goes out with.
    pub(super) fn return_paths(&self, config: &Config) -> Arc<ReturnPaths> {
        Arc::new(ReturnPaths::new(self.store.return_path_key(), config.limits.return_path()))
    }

    /// Takes reports of other servers from now on; where.
    pub(super) fn take_reports(
        &self,
        config: &Config,
        listeners: Vec<inbound::Listener>,
        rules: Arc<Rules>,
        witness: &Arc<dyn Witness>,
    ) -> Vec<SocketAddr> {
        let addresses = listeners.iter().map(inbound::Listener::address).collect();
        let feedback = config.reports.feedback.as_ref().and_then(|address| Address::parse(address, true).ok());
        let limits = config.limits.clone();
        let settings = inbound::Settings { hostname: config.hostname.clone(), feedback, rules, limits };
        let around = inbound::Surroundings {
            store: Arc::clone(&self.store),
            return_paths: self.return_paths(config),
            dmarc: Addresses::new(self.store.return_path_key()),
            witness: Arc::clone(witness),
            certificates: Arc::clone(&self.kept.certificates),
            clock: Arc::clone(&self.clock),
            metrics: self.metrics.reports.clone(),
            ended: Arc::clone(&self.ended),
            shutdown: self.shutdown.clone(),
        };
        inbound::serve(listeners, settings, around);
        addresses
    }
}
