//! Puts the rooms together: from a configuration to a running relay, and back.

mod names;
mod pages;
mod reports;
mod tls_reports;

pub(crate) use names::dns_settings;
use pages::face;
use relay::brake::Windows;
use relay::outcome::rules::Rules;
use relay::route::Routes;
use relay::service::{Fault, SYSTEM_ACCOUNT};
use relay::shaping::Providers;
use relay::store::{Book, Spool};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::embedded::Embedded;
use tokio::net::TcpListener;
use web::listen::{Cover, Face};

use net::acme::{Acme, AcmeSettings};
use net::blocklists::Blocklists;
use net::clock::{Clock, SystemClock, SystemDice, system_dice};
use net::dispatch::{self, Dispatch};
use net::dns::{Dns, Dnssec, NameServers, Resolver, Witness};
use net::domain_watch::DomainWatch;
use net::mta_sts::MtaSts;
use net::outbound::{Outbound, OutboundSettings};
use net::shutdown::Shutdown;
use net::submission::{Server, Settings, StartError, Surroundings};
use net::tls::Certificates;
use net::tls_reports::TlsReports;
use net::zone::{NameServer, Sockets};

use crate::alerts;
use crate::bounces;
use crate::brakes;
use crate::certificate_alerts;
use crate::config::{self, Config};
use crate::control::Control;
use crate::data;
use crate::execute::desk::Desk;
use crate::execute::{Executor, Kept, PortsBound, Running};
use crate::expiry;
use crate::metrics::Metrics;
use crate::rotation;
use crate::routes;
use crate::shaping;
use crate::unsubscribe::Unsubscribing;

/// How often certificate files are looked at.
const CERTIFICATES_LOOK: Duration = Duration::from_secs(10);
/// How long running deliveries may go on when the relay stops.
const DELIVERIES_PATIENCE: Duration = Duration::from_secs(20);
/// How long the store's other users are waited for at the end.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// A running relay.
pub struct Relay {
    /// Carries out operations.
    pub executor: Arc<Executor<Embedded>>,
    /// The submission ports as bound.
    pub ports: PortsBound,
    /// Metrics and health as bound.
    pub http: Vec<SocketAddr>,
    /// The API as bound.
    pub api: Vec<SocketAddr>,
    /// The console as bound.
    pub console: Vec<SocketAddr>,
    /// Where recipients unsubscribe, as bound, beside the console.
    pub unsubscribe: Vec<SocketAddr>,
    /// Where it answers for the zone, as bound.
    pub zone: Vec<SocketAddr>,
    /// Where it takes reports of other servers, as bound.
    pub reports: Vec<SocketAddr>,
    /// Where the first member of the operator comes in, while there is none.
    pub first_link: Option<String>,
    /// The certificates in use.
    pub certificates: Arc<Certificates>,
    store: Arc<Embedded>,
    server: Arc<Server>,
    dispatch: dispatch::Handle,
    shutdown: Shutdown,
    /// Commands are answered until everything else has stopped.
    control_shutdown: Shutdown,
}

impl Relay {
    /// Starts everything, in the order in which it can be relied on; listens last.
    ///
    /// # Errors
    /// What could not be started, what that means, and what to do. Nothing goes on then.
    pub async fn start(config: &Config) -> Result<Relay, Fault> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let kept = kept(config, &clock)?;
        let routes = Arc::new(routes::routes(config)?);
        let settings = dns_settings(config)?;
        // whoever verifies a domain wants to know what is so now
        let fresh = NameServers::new(&settings).map_err(|error| names::unusable(&error))?;
        let fresh: Arc<dyn Witness> = Arc::new(fresh);
        let dns = Arc::new(Dns::new(&settings).map_err(|error| names::unusable(&error))?);
        let resolver: Arc<dyn Resolver> = Arc::clone(&dns) as _;
        let policies = policies(config, &resolver, &clock)?;
        let tls_reports = tls_reports::open(config, &resolver, &clock)?;
        let mut outbound = outbound(config, &routes, &resolver)?;
        if let Some(reports) = &tls_reports {
            outbound = outbound.counted_by(Arc::new(reports.clone()));
        }
        if let Some(policies) = &policies {
            outbound = outbound.with_policies(Arc::new(policies.clone()));
        }
        let rules = bounces::rules(config)?;
        let providers = shaping::providers(config)?;
        // ports that are taken are told before the log is replayed
        let (http, api) = (listen_on(&config.http).await?, listen_on(&config.api).await?);
        let console = listen_on(&config.console).await?;
        let unsubscribe = listen_on(&config.unsubscribe.listen).await?;
        let acme = listen_on(config.acme.as_ref().map_or(&[], |acme| &acme.listen)).await?;
        let zone = zone_sockets(config)?;
        let reports = reports::listeners(config)?;
        let config = &pages::bound(config, &console, &unsubscribe);
        let ground = Ground::lay(config, clock, kept).await?;
        let dispatch = ground.dispatch(config, outbound, Arc::clone(&rules), providers);
        let begun = ground.open_doors(config, &dispatch, (&fresh, &dns), &zone, tls_reports).await;
        let (server, executor, control) = match begun {
            Ok(begun) => begun,
            Err(fault) => {
                ground.shutdown.begin();
                dispatch.shutdown(Duration::ZERO).await;
                return Err(fault);
            }
        };
        let control_shutdown = Shutdown::new();
        control_shutdown.spawn(control.serve(Arc::clone(&executor), control_shutdown.clone()));
        let zone = ground.answer_for_zone(config, zone);
        let reports = ground.take_reports(config, reports, rules);
        let Ground { shutdown, store, kept, metrics, clock, .. } = ground;
        let certificates = kept.certificates;
        shutdown.spawn(Arc::clone(&certificates).watch(CERTIFICATES_LOOK, shutdown.clone()));
        if let Some(policies) = policies {
            shutdown.spawn(policies.keep(shutdown.clone()));
        }
        shutdown.spawn(dns.watch_dnssec(shutdown.clone()));
        shutdown.spawn(alerts::watch(Arc::clone(&executor), shutdown.clone()));
        shutdown.spawn(brakes::watch(Arc::clone(&executor), shutdown.clone()));
        shutdown.spawn(certificate_alerts::watch(Arc::clone(&executor), shutdown.clone()));
        shutdown.spawn(rotation::watch(Arc::clone(&executor), shutdown.clone()));
        shutdown.spawn(expiry::watch(Arc::clone(&executor), shutdown.clone()));
        if let Some(acme) = kept.acme {
            shutdown.spawn(acme.run(shutdown.clone()));
        }
        serve_proofs(acme, config, &certificates, &shutdown);
        let http = serve_http(http, config, metrics, &store, &shutdown);
        let desk = Desk::open(Arc::clone(&executor), &config.limits, &shutdown);
        let api_router = web::api::router(Arc::clone(&desk) as _, &config.limits, config.console_url().as_deref());
        let api =
            serve_each(api, face(api_router, &config.api_proxies, config, &certificates), &shutdown, "the API is");
        let first_link = config.console_url().zip(desk.first_link());
        let first_link = first_link
            .map(|(url, token)| format!("{url}/first-start?token={}", String::from_utf8_lossy(token.expose())));
        let unsubscriber = Unsubscribing::over(&store, config, &clock);
        let unsubscribe = pages::unsubscribe(unsubscribe, &unsubscriber, config, &certificates, &shutdown);
        let console_router = web::console::router(
            desk,
            web::console::Settings {
                hostname: config.hostname.clone(),
                ports: executor.ports.clone(),
                api_url: config.url_of(&api),
                mail_from: config.mail_from.as_ref().map(|sender| sender.address.clone()),
                limits: config.limits.clone(),
                is_secure: config.console_at.as_ref().is_some_and(|url| url.starts_with("https://")),
                demonstration: config.demonstration.clone(),
            },
        );
        let console_router = console_router.merge(pages::unsubscribe_router(&unsubscriber, config));
        let face = face(console_router, &config.console_proxies, config, &certificates);
        let console = serve_each(console, face, &shutdown, "the console is");
        let ports = ports(&server);
        Ok(Relay {
            executor,
            ports,
            http,
            api,
            console,
            unsubscribe,
            zone,
            reports,
            first_link,
            certificates,
            store,
            server,
            dispatch,
            shutdown,
            control_shutdown,
        })
    }

    /// Stops gracefully: running transactions and deliveries finish, within their time, then the store is closed.
    pub async fn stop(self) {
        self.shutdown.begin();
        tokio::join!(self.server.finished(), self.dispatch.shutdown(DELIVERIES_PATIENCE));
        self.shutdown.finished(STORE_PATIENCE).await;
        self.control_shutdown.begin();
        self.control_shutdown.finished(STORE_PATIENCE).await;
        let Relay { executor, store, dispatch, server, .. } = self;
        drop((executor, dispatch, server));
        close(store).await;
    }
}

/// What everything else stands on.
struct Ground {
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
    store: Arc<Embedded>,
    kept: Kept,
    metrics: Metrics,
    /// What came to its end in the last hour, for the automatic brakes.
    ended: Arc<Mutex<Windows>>,
}

impl Ground {
    async fn lay(config: &Config, clock: Arc<dyn Clock>, kept: Kept) -> Result<Ground, Fault> {
        let (opening, opened_by) = (config.clone(), Arc::clone(&clock));
        let opened = blocking(move || data::open(&opening, opened_by)).await?;
        let store = Arc::new(opened.map_err(|error| data::fault(&error, config))?);
        let mut metrics = Metrics::new();
        let watched = Arc::clone(&store);
        metrics.read_from(Arc::new(move || watched.health()), &kept, Arc::clone(&clock));
        let braked = Arc::clone(&store);
        metrics.count_brakes(move || braked.directory().brakes.values().filter(|brake| brake.is_on()).count());
        Ok(Ground { clock, shutdown: Shutdown::new(), store, kept, metrics, ended: Arc::default() })
    }

    fn dispatch(
        &self,
        config: &Config,
        outbound: Outbound,
        rules: Arc<Rules>,
        providers: Arc<Providers>,
    ) -> dispatch::Handle {
        let settings = dispatch::Settings {
            retry_for: config.delivery.retry_for,
            providers,
            sources: Arc::new(config.sources.clone()),
            rules,
            ended: Arc::clone(&self.ended),
            return_paths: config.reports.return_path.then(|| self.return_paths(config)),
            ..dispatch::Settings::new(&config.hostname, SYSTEM_ACCOUNT).held_to(&config.limits)
        };
        let (store, carrier) = (Arc::clone(&self.store), Arc::new(outbound));
        let (clock, dice) = (Arc::clone(&self.clock), Box::new(SystemDice));
        Dispatch::start(settings, store, carrier, clock, dice, self.metrics.dispatch.clone())
    }

    /// Listens for applications and for commands.
    async fn open_doors(
        &self,
        config: &Config,
        dispatch: &dispatch::Handle,
        (fresh, dns): (&Arc<dyn Witness>, &Arc<Dns>),
        zone: &[Sockets],
        tls_reports: Option<TlsReports>,
    ) -> Result<(Arc<Server>, Arc<Executor<Embedded>>, Control), Fault> {
        let started_at = self.clock.now();
        let server = Arc::new(self.submission(config, dispatch).await?);
        let told = dispatch.clone();
        let domains = DomainWatch::start(
            Arc::clone(&self.store),
            Arc::clone(fresh),
            Arc::new(config.publisher()),
            Arc::clone(&self.clock),
            &config.limits,
            Box::new(move || told.directory_changed()),
            &self.shutdown,
        );
        let resolver: Arc<dyn Resolver> = Arc::clone(dns) as _;
        let webhooks = self.webhooks(config, &resolver)?;
        let (lifting, counting, taking) = (Arc::clone(&server), Arc::clone(&server), Arc::clone(&server));
        let mail = self.own_mail(config, dispatch);
        if let Some(reports) = &tls_reports {
            self.report_on_tls(config, reports, dispatch);
        }
        let running = Running {
            dispatch: dispatch.clone(),
            domains,
            mail,
            webhooks,
            tls_reports,
            blocklists: Blocklists::new(config.blocklists.clone(), resolver, Arc::clone(&self.clock)),
            dns: Arc::clone(dns),
            hand_in: Box::new(move |handed| {
                let taking = Arc::clone(&taking);
                Box::pin(async move { taking.hand_in(handed).await })
            }),
            ended: Arc::clone(&self.ended),
            lift: Box::new(move |address| lifting.lift(address)),
            usage: server.usage(),
            sessions: Box::new(move || counting.connections()),
            kept: self.kept.clone(),
            ports: ports(&server),
            zone_at: zone.iter().map(Sockets::address).collect(),
            started_at,
            sign_ins: self.metrics.sign_ins.clone(),
        };
        let executor = Executor::new(Arc::clone(&self.store), config, Arc::clone(&self.clock), Some(running));
        let control = Control::listen(&config.data_dir).map_err(|error| {
            Fault::unavailable(
                format!("The control socket in {} cannot be made: {error}.", config.data_dir.display()),
                "The user that runs the relay has to be able to write there.",
            )
        })?;
        Ok((server, executor, control))
    }

    /// Answers for the zone from now on; where.
    fn answer_for_zone(&self, config: &Config, zone: Vec<Sockets>) -> Vec<SocketAddr> {
        let publisher = Arc::new(config.publisher());
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let server = NameServer::new(store, publisher, clock, &config.limits);
        let addresses = zone.iter().map(Sockets::address).collect();
        zone.into_iter().for_each(|sockets| server.serve(sockets, &self.shutdown));
        addresses
    }

    /// Sends calls to webhooks from now on.
    fn webhooks(&self, config: &Config, resolver: &Arc<dyn Resolver>) -> Result<net::webhook::Handle, Fault> {
        let around = net::webhook::Surroundings {
            store: Arc::clone(&self.store),
            resolver: Arc::clone(resolver),
            clock: Arc::clone(&self.clock),
            dice: system_dice(),
            metrics: self.metrics.webhooks.clone(),
        };
        net::webhook::start(webhooks(config)?, around, &self.shutdown).map_err(|error| no_tls(&error))
    }

    async fn submission(&self, config: &Config, dispatch: &dispatch::Handle) -> Result<Server, Fault> {
        let settings = Settings {
            hostname: config.hostname.clone(),
            starttls: config.submission.starttls.clone(),
            tls: config.submission.tls.clone(),
            proxies: config.submission.proxy_networks.clone(),
            shared: config.submission.shared_networks.clone(),
            unsubscribe: config.unsubscribe_url(),
            limits: config.limits.clone(),
        };
        let waking = dispatch.clone();
        let around = Surroundings {
            store: Arc::clone(&self.store),
            certificates: Arc::clone(&self.kept.certificates),
            clock: Arc::clone(&self.clock),
            arrivals: Arc::new(move |envelope| waking.arrived(envelope)),
            metrics: self.metrics.submission.clone(),
            shutdown: self.shutdown.clone(),
        };
        Server::start(settings, around).await.map_err(|error| match error {
            StartError::Listen { address, source } => listen_fault(address, &source),
            StartError::Store(error) => error.into(),
        })
    }
}

fn ports(server: &Server) -> PortsBound {
    PortsBound { starttls: server.starttls_addresses().to_vec(), tls: server.tls_addresses().to_vec() }
}

/// Closes the store as soon as nobody else has it, or leaves that to the last who has.
async fn close(store: Arc<Embedded>) {
    let waiting = async {
        while Arc::strong_count(&store) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(STORE_PATIENCE, waiting).await.is_err() {
        tracing::warn!("the store is still in use by a task that does not end");
    }
    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Fault::unavailable(format!("A part of the start broke off: {error}."), "The log says more."))
}

/// The certificates, and what renews that which comes by itself.
fn kept(config: &Config, clock: &Arc<dyn Clock>) -> Result<Kept, Fault> {
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

/// The certificates of a `ca_file`.
fn authorities(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| {
        Fault::invalid(format!("{} cannot be read: {error}.", file.display()), "`ca_file` names certificates in PEM.")
    })
}

fn zone_sockets(config: &Config) -> Result<Vec<Sockets>, Fault> {
    let bind = |address: &SocketAddr| Sockets::bind(*address).map_err(|error| listen_fault(*address, &error));
    config.zone.listen.iter().map(bind).collect()
}

fn outbound(config: &Config, routes: &Arc<Routes>, resolver: &Arc<dyn Resolver>) -> Result<Outbound, Fault> {
    let settings = OutboundSettings {
        hostname: config.hostname.clone(),
        sources: config.delivery.source_addresses.clone(),
        allow_private: config.delivery.allow_private,
        own: own_addresses(config),
        authorities: further_authorities(config)?,
        dane: config.delivery.dane != Dnssec::Off,
        ..OutboundSettings::held_to(&config.limits)
    };
    Outbound::new(settings, Arc::clone(routes), Arc::clone(resolver), Box::new(SystemDice))
        .map_err(|error| no_tls(&error))
}

/// The policies of the domains that mail goes to; none where they are not gone by.
fn policies(config: &Config, resolver: &Arc<dyn Resolver>, clock: &Arc<dyn Clock>) -> Result<Option<MtaSts>, Fault> {
    if !config.delivery.mta_sts {
        return Ok(None);
    }
    let settings = net::mta_sts::Settings {
        allow_private: config.delivery.allow_private,
        own: own_addresses(config),
        authorities: further_authorities(config)?,
        file: Some(config.policies_file()),
        ..net::mta_sts::Settings::held_to(&config.limits)
    };
    let opened = MtaSts::open(settings, Arc::clone(resolver), Arc::clone(clock));
    opened.map(Some).map_err(|error| no_tls(&error))
}

fn webhooks(config: &Config) -> Result<net::webhook::Settings, Fault> {
    Ok(net::webhook::Settings {
        allow_private: config.webhooks_allow_private,
        own: own_addresses(config),
        authorities: further_authorities(config)?,
        system_authorities: true,
        limits: config.limits.clone(),
    })
}

fn no_tls(error: &rustls::Error) -> Fault {
    Fault::unavailable(format!("TLS towards other servers cannot be set up: {error}."), "")
}

/// Where we listen: nobody is to have us call ourselves.
fn own_addresses(config: &Config) -> Vec<IpAddr> {
    let sockets = config.submission.starttls.iter().chain(&config.submission.tls);
    let sockets = sockets.chain(&config.http).chain(&config.api).chain(&config.console);
    let sockets = sockets.chain(&config.zone.listen).chain(&config.reports.listen).chain(&config.unsubscribe.listen);
    sockets.map(SocketAddr::ip).collect()
}

/// Certificate authorities that are trusted besides the system's, of other mail servers and of receivers of webhooks.
fn further_authorities(config: &Config) -> Result<Vec<CertificateDer<'static>>, Fault> {
    Ok(config.delivery.ca_file.as_ref().map(authorities).transpose()?.unwrap_or_default())
}

/// Why an address cannot be listened on, and what to do.
pub fn listen_fault(address: SocketAddr, error: &std::io::Error) -> Fault {
    let port = address.port();
    let what = format!("Cannot listen on {address}: {error}.");
    match error.kind() {
        std::io::ErrorKind::AddrInUse => Fault::unavailable(
            what,
            format!("`ss -ltnp 'sport = :{port}'` shows which process has the port: stop it, or choose another port."),
        ),
        std::io::ErrorKind::PermissionDenied => Fault::unavailable(
            what,
            "Ports below 1024 need a privilege: AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or \
             `setcap cap_net_bind_service=+ep` on the binary; or choose ports such as 2587 and 2465.",
        ),
        std::io::ErrorKind::AddrNotAvailable => {
            Fault::unavailable(what, "This machine does not have that address: `ip address` shows those that it has.")
        }
        _ => Fault::unavailable(what, "Choose another address or port."),
    }
}

async fn listen_on(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Fault> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await.map_err(|error| listen_fault(*address, &error))?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn serve_http(
    listeners: Vec<TcpListener>,
    config: &Config,
    metrics: Metrics,
    store: &Arc<Embedded>,
    shutdown: &Shutdown,
) -> Vec<SocketAddr> {
    let (watched, ending) = (Arc::clone(store), shutdown.clone());
    let readiness = move || {
        let health = watched.health();
        let mut reasons = Vec::new();
        if let Some(why) = health.latched {
            reasons.push(format!("the store stopped after a failed write: {why}"));
        }
        if health.full {
            reasons.push("there is no room for new mail".to_owned());
        }
        if ending.is_begun() {
            reasons.push("the relay is stopping".to_owned());
        }
        web::Readiness { ready: reasons.is_empty(), reasons }
    };
    let pages = web::Pages { registry: Arc::new(metrics.registry), readiness: Arc::new(readiness) };
    let face = Face::new(web::router(pages), Cover::Clear, &config.limits);
    serve_each(listeners, face, shutdown, "metrics and health are")
}

/// Answers certificate authorities in the clear, as they ask (RFC 8555 §8.3).
fn serve_proofs(listeners: Vec<TcpListener>, config: &Config, certificates: &Arc<Certificates>, shutdown: &Shutdown) {
    let proofs = Arc::clone(certificates.proofs());
    let router = web::challenge::router(Arc::new(move |token| proofs.over_http(token)), config.console_url());
    let face = Face::new(router, Cover::Clear, &config.limits);
    serve_each(listeners, face, shutdown, "certificate authorities are");
}

/// Shows a face on each listener until shutdown, and says in the log where one fails; where they are bound.
fn serve_each(listeners: Vec<TcpListener>, face: Face, shutdown: &Shutdown, what: &'static str) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for listener in listeners {
        addresses.extend(listener.local_addr());
        let stop = shutdown.clone();
        let serving = face.clone().serve(listener, async move { stop.begun().await });
        shutdown.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "{what} served no more");
            }
        });
    }
    addresses
}
