//! Pages and the API as they are shown: under TLS, behind the proxies that are trusted; and the page on which recipients
//! unsubscribe, beside the console, and by itself where recipients do not reach that.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;
use net::shutdown::Shutdown;
use net::tls::Certificates;
use tokio::net::TcpListener;
use web::Router;
use web::listen::{Cover, Face, Proxies};

use super::serve_each;
use crate::config::{Config, Unsubscribe};
use crate::unsubscribe::Unsubscribing;

/// The configuration with the addresses of pages as they are bound: a configured port 0 is a real one there.
pub(super) fn bound(config: &Config, console: &[TcpListener], unsubscribe: &[TcpListener]) -> Config {
    let addresses = |listeners: &[TcpListener]| listeners.iter().flat_map(TcpListener::local_addr).collect();
    let page = Unsubscribe { listen: addresses(unsubscribe), ..config.unsubscribe.clone() };
    Config { console: addresses(console), unsubscribe: page, ..config.clone() }
}

/// What shows a router under TLS, behind proxies that are trusted.
pub(super) fn face(router: Router, proxies: &[IpNet], config: &Config, certificates: &Certificates) -> Face {
    Face::new(router, Cover::Tls(certificates.config_of_http()), &config.limits).behind(Proxies::new(proxies))
}

fn is_secure(config: &Config) -> bool {
    config.unsubscribe_url().is_some()
}

/// The page, beside others.
pub(super) fn unsubscribe_router(unsubscribing: &Arc<Unsubscribing>, config: &Config) -> Router {
    web::console::unsubscribe::router(Arc::clone(unsubscribing) as _, &config.limits, is_secure(config))
}

/// Serves it by itself from now on; where.
pub(super) fn unsubscribe(
    listeners: Vec<TcpListener>,
    unsubscribing: &Arc<Unsubscribing>,
    config: &Config,
    certificates: &Arc<Certificates>,
    shutdown: &Shutdown,
) -> Vec<SocketAddr> {
    let unsubscriber = Arc::clone(unsubscribing) as _;
    let router = web::console::unsubscribe::alone(unsubscriber, &config.limits, is_secure(config));
    let face = face(router, &config.console_proxies, config, certificates);
    serve_each(listeners, face, shutdown, "the page to unsubscribe is")
}
