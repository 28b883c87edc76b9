//! What is counted: every room's metrics in one registry, and those that are read when somebody looks.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use relay::clock::Timestamp;
use relay::store::StoreHealth;
use std::fmt;
use std::sync::Arc;

use net::clock::Clock;

use crate::blocklist_alarms::Listed;
use crate::execute::Kept;

/// What the gauges are read from.
type Health = Arc<dyn Fn() -> StoreHealth + Send + Sync>;

/// The metrics of all rooms.
pub struct Metrics {
    /// Where they are.
    pub registry: Registry,
    /// Those of submission.
    pub submission: net::submission::Metrics,
    /// Those of delivery.
    pub dispatch: net::dispatch::Metrics,
    /// Those of webhooks.
    pub webhooks: net::webhook::Metrics,
    /// Those of reports.
    pub reports: net::inbound::Metrics,
    /// Sign-ins to the console.
    pub sign_ins: SignIns,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignInResult {
    result: &'static str,
}

/// What came of a sign-in to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInCame {
    /// In.
    In,
    /// As far as the one-time code.
    HalfWay,
    /// The address or the password is wrong; which, is not counted apart.
    WrongPassword,
    /// The one-time code is wrong.
    WrongCode,
    /// Too many have failed.
    TooMany,
}

impl SignInCame {
    const ALL: [SignInCame; 5] =
        [SignInCame::In, SignInCame::HalfWay, SignInCame::WrongPassword, SignInCame::WrongCode, SignInCame::TooMany];

    fn word(self) -> &'static str {
        match self {
            SignInCame::In => "in",
            SignInCame::HalfWay => "half_way",
            SignInCame::WrongPassword => "wrong_password",
            SignInCame::WrongCode => "wrong_code",
            SignInCame::TooMany => "too_many",
        }
    }
}

/// Sign-ins to the console, by what came of them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SignIns(Family<SignInResult, Counter>);

impl SignIns {
    fn register(registry: &mut Registry) -> SignIns {
        let sign_ins = SignIns::default();
        let help = "Sign-ins to the console, by what came of them";
        registry.register("envoi_console_sign_ins", help, sign_ins.0.clone());
        // what never happened is 0, not absent, so that the first time shows as a rise
        for came in SignInCame::ALL {
            drop(sign_ins.0.get_or_create(&SignInResult { result: came.word() }));
        }
        sign_ins
    }

    /// Counts one.
    pub fn count(&self, came: SignInCame) {
        self.0.get_or_create(&SignInResult { result: came.word() }).inc();
    }
}

impl Metrics {
    /// Registers what every room counts.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("envoi_build", "The running version", version);
        let submission = net::submission::Metrics::register(&mut registry);
        let dispatch = net::dispatch::Metrics::register(&mut registry);
        let webhooks = net::webhook::Metrics::register(&mut registry);
        let reports = net::inbound::Metrics::register(&mut registry);
        let sign_ins = SignIns::register(&mut registry);
        Metrics { registry, submission, dispatch, webhooks, reports, sign_ins }
    }

    /// Adds the gauges that are read from the store and the certificates at each look.
    pub fn read_from(&mut self, health: Health, kept: &Kept, clock: Arc<dyn Clock>) {
        let (certificates, acme) = (Arc::clone(&kept.certificates), kept.acme.clone());
        self.registry.register_collector(Box::new(StoreGauges(health)));
        self.registry.register_collector(certificate_gauge(move || {
            let seconds = |at: Timestamp| i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
            let now = seconds(clock.now());
            certificates.facts().iter().map(|facts| seconds(facts.validity.ends) - now).min().unwrap_or(0)
        }));
        let failures = move || acme.as_ref().map_or(0, |acme| i64::from(acme.shown().failures));
        self.registry.register_collector(acme_gauge(failures));
    }
}

impl Metrics {
    /// Adds the gauge of automatic brakes that are on.
    pub fn count_brakes(&mut self, on: impl Fn() -> usize + Send + Sync + 'static) {
        self.registry.register_collector(brake_gauge(on));
    }

    /// Adds the gauges of what the operator's blocklists have.
    pub(crate) fn show_blocklists(&mut self, shown: impl Fn() -> Vec<Listed> + Send + Sync + 'static) {
        self.registry.register_collector(Box::new(BlocklistGauges(Box::new(shown))));
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

struct StoreGauges(Health);

impl fmt::Debug for StoreGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreGauges")
    }
}

impl Collector for StoreGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let health = (self.0)();
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let gauges = [
            ("envoi_queue_messages", "Messages with a recipient that is not settled", number(health.messages)),
            ("envoi_queue_recipients", "Recipients that are not settled", number(health.recipients)),
            ("envoi_spool_octets", "Octets of spool files on the disk", number(health.spool_octets)),
            (
                "envoi_activity_lag_octets",
                "Octets of the log that activity has not read yet",
                number(health.activity_lag_octets),
            ),
            ("envoi_store_full", "1 while there is no room for new mail", i64::from(health.full)),
            ("envoi_store_latched", "1 after a failed write, until a restart", i64::from(health.latched.is_some())),
            (
                "envoi_store_damaged_records",
                "Damaged places found and not acknowledged by `envoi doctor --repair`",
                number(health.damage.len() as u64),
            ),
        ];
        for (name, help, value) in gauges {
            gauge(&mut encoder, name, help, value)?;
        }
        Ok(())
    }
}

/// Which addresses each list has, and how many domains.
struct BlocklistGauges(Box<dyn Fn() -> Vec<Listed> + Send + Sync>);

impl fmt::Debug for BlocklistGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlocklistGauges")
    }
}

impl Collector for BlocklistGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shown = (self.0)();
        let help = "1 while a list below [blocklists] has an address that mail comes from";
        let mut of_addresses = encoder.encode_descriptor("envoi_blocklist_listed", help, None, MetricType::Gauge)?;
        for (list, address, value) in &shown {
            if let Some(address) = address {
                let labels = [("list", list.as_str()), ("address", address.as_str())];
                ConstGauge::new(*value).encode(of_addresses.encode_family(&labels)?)?;
            }
        }
        let help = "Sending domains that a list below [blocklists] has";
        let mut of_domains =
            encoder.encode_descriptor("envoi_blocklist_listed_domains", help, None, MetricType::Gauge)?;
        for (list, _, value) in shown.iter().filter(|(_, address, _)| address.is_none()) {
            ConstGauge::new(*value).encode(of_domains.encode_family(&[("list", list.as_str())])?)?;
        }
        Ok(())
    }
}

/// One number that is read at each look: its name, what it says, where it is read.
struct Gauge(&'static str, &'static str, Box<dyn Fn() -> i64 + Send + Sync>);

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gauge").field(&self.0).finish()
    }
}

impl Collector for Gauge {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        gauge(&mut encoder, self.0, self.1, (self.2)())
    }
}

fn certificate_gauge(left: impl Fn() -> i64 + Send + Sync + 'static) -> Box<Gauge> {
    let help = "Seconds until the first certificate in use expires";
    Box::new(Gauge("envoi_certificate_seconds_left", help, Box::new(left)))
}

fn brake_gauge(on: impl Fn() -> usize + Send + Sync + 'static) -> Box<Gauge> {
    let help = "Automatic brakes that are on";
    Box::new(Gauge("envoi_brakes_on", help, Box::new(move || i64::try_from(on()).unwrap_or(i64::MAX))))
}

fn acme_gauge(failures: impl Fn() -> i64 + Send + Sync + 'static) -> Box<Gauge> {
    let help = "Orders of a certificate in a row that failed";
    Box::new(Gauge("envoi_acme_failures", help, Box::new(failures)))
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    let metric = ConstGauge::new(value);
    let encoder: MetricEncoder<'_> = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    metric.encode(encoder)
}

/// The page of the manual: each metric with its kind and meaning, as a scrape would tell them.
pub fn markdown() -> String {
    let mut metrics = Metrics::new();
    metrics.registry.register_collector(Box::new(StoreGauges(Arc::new(StoreHealth::default))));
    metrics.registry.register_collector(certificate_gauge(|| 0));
    metrics.registry.register_collector(acme_gauge(|| 0));
    metrics.count_brakes(|| 0);
    metrics.show_blocklists(Vec::new);
    let mut text = String::new();
    // writing to a String cannot fail
    let _ = prometheus_client::encoding::text::encode(&mut text, &metrics.registry);
    let kinds: std::collections::HashMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let mut page = String::from("| metric | kind | what it says |\n|---|---|---|\n");
    for line in text.lines() {
        let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) else { continue };
        let kind = kinds.get(name).copied().unwrap_or("unknown");
        let full = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        page.push_str(&format!("| `{full}` | {kind} | {help} |\n"));
    }
    page
}
