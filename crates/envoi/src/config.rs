//! The configuration: one file, read whole, every fault with its line and its remedy.

mod blocklists;
mod check;
mod example;
mod keys;
mod limits;
mod read;
mod reports;
mod route;
mod source;
mod tls_reports;
mod value;

use ipnet::IpNet;
use relay::limits::Limits;
use relay::reachable::forbidden;
use relay::source::Sources;
use relay::tls_report::Author;
use relay::warm_up::Ladder;
use relay::zone::Publisher;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use example::{example, markdown};
pub use reports::Reports;
pub use route::RouteTable;
pub use value::parse_span;

use net::acme::{AcmeSettings, Challenge};
use net::dns::Dnssec;
use net::own_mail::Sender;
use net::tls::CertificateFiles;
use web::console::Demonstration;

use read::{Table, Tree};
use value::Value;

/// The whole configuration, checked in itself. Paths are absolute.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// The relay's name.
    pub hostname: String,
    /// The folder that holds everything.
    pub data_dir: PathBuf,
    /// `[submission]`
    pub submission: Submission,
    /// `[acme]`; none: its certificates come from files alone.
    pub acme: Option<Acme>,
    /// `[limits]`
    pub limits: Limits,
    /// `[delivery]`
    pub delivery: Delivery,
    /// `[[source]]` and `[[pool]]`
    pub sources: Sources,
    /// `[warm_up]`
    pub ladder: Ladder,
    /// `[bounces] rules`: the operator's own, before ours.
    pub bounce_rules: Option<PathBuf>,
    /// The rest of `[bounces]`.
    pub reports: Reports,
    /// `[tls_reports]`: who reports; none: nothing is counted or sent.
    pub tls_reports: Option<Author>,
    /// `[blocklists]`: which are asked.
    pub blocklists: net::blocklists::Lists,
    /// `[zone]`
    pub zone: Zone,
    /// `[http] listen`
    pub http: Vec<SocketAddr>,
    /// `[api] listen`
    pub api: Vec<SocketAddr>,
    /// `[console] listen`
    pub console: Vec<SocketAddr>,
    /// `[console] trusted_proxies`
    pub console_proxies: Vec<IpNet>,
    /// `[api] trusted_proxies`
    pub api_proxies: Vec<IpNet>,
    /// `[console] url`
    pub console_at: Option<String>,
    /// `[unsubscribe]`
    pub unsubscribe: Unsubscribe,
    /// `[webhooks] allow_private`
    pub webhooks_allow_private: bool,
    /// `[mail] from`
    pub mail_from: Option<Sender>,
    /// `[log]`
    pub log: Log,
    /// `[store]`
    pub store: Storage,
    /// What pages say of a demonstration; in no file, `envoi demo` says it.
    pub demonstration: Option<Demonstration>,
}

impl Config {
    /// The certificates that clients are shown, that which comes by itself first.
    pub fn certificate_files(&self) -> Vec<CertificateFiles> {
        let automatic = self.acme.is_some().then(|| AcmeSettings::files_in(&self.acme_folder()));
        let named = self.submission.certificates.iter();
        let named = named.map(|pair| CertificateFiles { certificate: pair.certificate.clone(), key: pair.key.clone() });
        automatic.into_iter().chain(named).collect()
    }

    /// Where what is counted for reports on TLS is kept.
    pub fn tls_reports_file(&self) -> PathBuf {
        self.data_dir.join("tls-reports.json")
    }

    /// Where it is kept what ended in the last hour, for the automatic brakes.
    pub fn brakes_file(&self) -> PathBuf {
        self.data_dir.join("brakes.json")
    }

    /// Where it is kept what blocklists said.
    pub fn blocklists_file(&self) -> PathBuf {
        self.data_dir.join("blocklists.json")
    }

    /// Where the policies of domains are kept that mail goes to.
    pub fn policies_file(&self) -> PathBuf {
        self.data_dir.join("mta-sts.json")
    }

    /// Where what comes by itself is kept.
    pub fn acme_folder(&self) -> PathBuf {
        self.data_dir.join("acme")
    }

    /// What domains publish, and what the zone has, but for the addresses that a key of the store makes.
    pub fn publisher(&self) -> Publisher {
        let zone = |name: &String| relay::zone::Zone {
            name: name.clone(),
            name_servers: self.zone.name_servers.clone(),
            is_served: !self.zone.listen.is_empty(),
        };
        Publisher {
            hostname: self.hostname.clone(),
            addresses: self.zone.addresses.clone(),
            zone: self.zone.name.as_ref().map(zone),
            dmarc_reports: None,
        }
    }

    /// Where people find the console; none where it is not served.
    pub fn console_url(&self) -> Option<String> {
        let found = self.url_of(&self.console)?;
        Some(self.console_at.clone().unwrap_or(found))
    }

    /// Where recipients reach the page on which they unsubscribe, under TLS as RFC 8058 §3.1 has it; none where they do not.
    pub fn unsubscribe_url(&self) -> Option<String> {
        let own = self.unsubscribe.url.clone().or_else(|| self.url_of(&self.unsubscribe.listen));
        own.or_else(|| self.console_url()).filter(|url| url.starts_with("https://"))
    }

    /// Where what is served on these addresses is found, by others where it is; none where they are none.
    pub fn url_of(&self, addresses: &[SocketAddr]) -> Option<String> {
        let first = addresses.iter().find(|address| !address.ip().is_loopback()).or(addresses.first())?;
        Some(match (first.ip().is_loopback(), first.port()) {
            (true, _) => format!("http://{first}"),
            (false, 443) => format!("https://{}", self.hostname),
            (false, port) => format!("https://{}:{port}", self.hostname),
        })
    }
}

/// Where recipients unsubscribe.
#[derive(Clone, Debug, Default)]
pub struct Unsubscribe {
    /// `listen`: where that page is served, beside the console.
    pub listen: Vec<SocketAddr>,
    /// `url`: where recipients reach it.
    pub url: Option<String>,
}

/// Where applications log in.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Ports that begin in clear.
    pub starttls: Vec<SocketAddr>,
    /// Ports that speak TLS from the first octet.
    pub tls: Vec<SocketAddr>,
    /// Certificates with their keys; the first is shown to clients that name no server.
    pub certificates: Vec<CertificatePair>,
    /// Load balancers that send a PROXY header.
    pub proxy_networks: Vec<IpNet>,
    /// Networks whose addresses many clients share.
    pub shared_networks: Vec<IpNet>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatePair {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A certificate that comes by itself.
#[derive(Clone, Debug)]
pub struct Acme {
    /// The authority's directory.
    pub directory: String,
    /// Whom it may write to.
    pub contact: Option<String>,
    /// The names of the certificate.
    pub names: Vec<String>,
    /// How they are proved.
    pub challenge: Challenge,
    /// Where the authority is answered over HTTP; empty with another challenge.
    pub listen: Vec<SocketAddr>,
    /// Who vouches for the authority's server.
    pub ca_file: Option<PathBuf>,
}

/// How mail goes out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Dial private addresses that DNS names.
    pub allow_private: bool,
    /// Resolvers; empty: the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Addresses to send from, at most one of each family.
    pub source_addresses: Vec<IpAddr>,
    /// How long to retry.
    pub retry_for: Duration,
    /// Further authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// The operator's rules for what providers take, before ours.
    pub shaping: Option<PathBuf>,
    /// Whether mail servers' certificates are looked for in DNS.
    pub dane: Dnssec,
    /// Whether policies of domains are gone by.
    pub mta_sts: bool,
    /// The keys that DNSSEC begins at.
    pub trust_anchors: Option<PathBuf>,
    /// The operator's routes, in order.
    pub routes: Vec<RouteTable>,
}

/// What the relay has in DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The zone; none: domains publish everything themselves.
    pub name: Option<String>,
    /// Its name servers; never empty.
    pub name_servers: Vec<String>,
    /// Where mail comes from, as others see it; empty: the addresses of the hostname.
    pub addresses: Vec<IpAddr>,
    /// Where the relay answers for it.
    pub listen: Vec<SocketAddr>,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// One JSON object on each line.
    pub json: bool,
    /// The least serious lines that are written.
    pub level: String,
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The file of the master key; none: in the data folder.
    pub master_key: Option<PathBuf>,
    /// The most that live mail may take, octets.
    pub spool_octets_max: u64,
    /// Room of the spool kept for outcomes, octets.
    pub reserve_octets: u64,
    /// Room on the disk that is never taken, octets.
    pub disk_free_octets_min: u64,
    /// The size of a new spool file, octets.
    pub segment_octets: u64,
}

/// Something in the file that has to be, or should be, put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The key with its table; empty where the line is no key.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
    /// Only a warning: the file can be used.
    pub warning: bool,
}

impl Problem {
    fn fault(line: usize, key: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (key, what, remedy) = (visible(key.into()), visible(what.into()), visible(remedy.into()));
        Problem { line, key, what, remedy, warning: false }
    }

    fn warning(line: usize, key: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Problem { warning: true, ..Problem::fault(line, key, what, remedy) }
    }

    /// Whether the other is about the same key, or one of them about the section of the other's.
    fn touches(&self, other: &Problem) -> bool {
        let within = |key: &str, section: &str| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
        self.key == other.key || within(&self.key, &other.key) || within(&other.key, &self.key)
    }
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The file.
    pub file: PathBuf,
    /// In the order of their lines.
    pub problems: Vec<Problem>,
}

impl Findings {
    /// Whether the file cannot be used.
    pub fn is_refused(&self) -> bool {
        self.problems.iter().any(|problem| !problem.warning)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            let (line_end, kind) = (if place == 0 { "" } else { "\n" }, if problem.warning { "warning: " } else { "" });
            let key = if problem.key.is_empty() { String::new() } else { format!("{}: ", problem.key) };
            write!(f, "{line_end}{}:{}: {kind}{key}{}", self.file.display(), problem.line, problem.what)?;
            if !problem.remedy.is_empty() {
                write!(f, "\n    {}", problem.remedy)?;
            }
        }
        Ok(())
    }
}

/// Which file to read where `--config` names none.
#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn default_file() -> PathBuf {
    if let Ok(named) = std::env::var("ENVOI_CONFIG")
        && !named.is_empty()
    {
        return named.into();
    }
    let here = PathBuf::from("envoi.toml");
    if here.exists() { here } else { PathBuf::from("/etc/envoi/envoi.toml") }
}

/// Reads a file and checks it in itself: names, types, ranges, contradictions; no other file is looked at.
///
/// # Errors
/// Every fault that was found.
pub fn load(file: &Path) -> Result<Config, Findings> {
    let (config, findings) = read_file(file)?;
    if findings.is_refused() { Err(findings) } else { Ok(config) }
}

/// Reads a file and checks it together with the files and folders that it names. Faults of one key hide none of another.
pub fn check(file: &Path, now: relay::clock::Timestamp) -> Findings {
    let (file, text) = match text_of(file) {
        Ok(read) => read,
        Err(findings) => return findings,
    };
    let (tree, mut problems) = read::read(&text);
    let config = build(&tree, &file);
    let further = check::contradictions(&config, &tree).into_iter().chain(check::files(&config, &tree, now));
    // what follows from a key that is wrong, or from a section with a wrong key, is no news
    let news: Vec<_> = further.filter(|one| !problems.iter().any(|told| !told.warning && told.touches(one))).collect();
    problems.extend(news);
    problems.sort_by_key(|problem| problem.line);
    Findings { file, problems }
}

fn read_file(file: &Path) -> Result<(Config, Findings), Findings> {
    let (file, text) = text_of(file)?;
    from_text(&text, &file)
}

/// The absolute path and the text of a file.
fn text_of(file: &Path) -> Result<(PathBuf, String), Findings> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok((file, text)),
        Err(error) => Err(Findings {
            file,
            problems: vec![Problem::fault(
                1,
                "",
                format!("cannot be read: {error}"),
                "Name the file with `--config FILE`; `envoi config example > envoi.toml` makes a first one.",
            )],
        }),
    }
}

/// Reads the text of a file that lies, or would lie, at `file`.
///
/// # Errors
/// Faults that leave no configuration to look at.
pub fn from_text(text: &str, file: &Path) -> Result<(Config, Findings), Findings> {
    let (tree, problems) = read::read(text);
    let mut findings = Findings { file: file.to_owned(), problems };
    if findings.is_refused() {
        return Err(findings);
    }
    let config = build(&tree, file);
    findings.problems.extend(check::contradictions(&config, &tree));
    findings.problems.sort_by_key(|problem| problem.line);
    Ok((config, findings))
}

fn build(tree: &Tree, file: &Path) -> Config {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let (top, log, store) = (tree.table(""), tree.table("log"), tree.table("store"));
    Config {
        file: file.to_owned(),
        demonstration: None,
        hostname: top.text("hostname"),
        data_dir: top.path("data_dir", folder).unwrap_or_default(),
        submission: submission(tree, folder),
        acme: acme(tree, folder),
        limits: limits::limits(|name| tree.table("limits").number(name)),
        delivery: delivery(tree, folder),
        sources: source::read(tree),
        ladder: source::ladder(tree),
        bounce_rules: tree.table("bounces").path("rules", folder),
        reports: reports::read(tree),
        tls_reports: tls_reports::read(tree),
        blocklists: blocklists::read(tree),
        zone: zone(tree),
        http: tree.table("http").sockets("listen"),
        api: tree.table("api").sockets("listen"),
        console: tree.table("console").sockets("listen"),
        console_proxies: tree.table("console").networks("trusted_proxies"),
        api_proxies: tree.table("api").networks("trusted_proxies"),
        console_at: Some(tree.table("console").text("url")).filter(|url| !url.is_empty()),
        unsubscribe: Unsubscribe {
            listen: tree.table("unsubscribe").sockets("listen"),
            url: Some(tree.table("unsubscribe").text("url")).filter(|url| !url.is_empty()),
        },
        webhooks_allow_private: tree.table("webhooks").flag("allow_private"),
        mail_from: value::sender(&tree.table("mail").text("from")),
        log: Log { json: log.text("format") == "json", level: log.text("level") },
        store: Storage {
            master_key: store.path("master_key", folder),
            spool_octets_max: store.number("spool_max").unwrap_or(u64::MAX),
            reserve_octets: store.number("reserve").unwrap_or_default(),
            disk_free_octets_min: store.number("disk_free_min").unwrap_or_default(),
            segment_octets: store.number("segment").unwrap_or_default(),
        },
    }
}

fn submission(tree: &Tree, folder: &Path) -> Submission {
    let table = tree.table("submission");
    let pairs = std::iter::once(table).chain(tree.repeated("submission.certificates"));
    let pair = |table: &Table| {
        let (certificate, key) = (table.path("certificate", folder)?, table.path("key", folder)?);
        Some(CertificatePair { certificate, key })
    };
    Submission {
        starttls: table.sockets("starttls"),
        tls: table.sockets("tls"),
        certificates: pairs.filter_map(pair).collect(),
        proxy_networks: table.networks("proxy_networks"),
        shared_networks: table.networks("shared_networks"),
    }
}

fn acme(tree: &Tree, folder: &Path) -> Option<Acme> {
    let table = tree.table("acme");
    if !table.flag("terms_agreed") {
        return None;
    }
    let challenge = if table.text("challenge") == "tls-alpn-01" { Challenge::TlsAlpn } else { Challenge::Http };
    Some(Acme {
        directory: table.text("directory"),
        contact: Some(table.text("contact")).filter(|address| !address.is_empty()),
        names: table.names("names").unwrap_or_else(|| vec![tree.table("").text("hostname")]),
        challenge,
        listen: if challenge == Challenge::Http { table.sockets("listen") } else { Vec::new() },
        ca_file: table.path("ca_file", folder),
    })
}

fn zone(tree: &Tree) -> Zone {
    let table = tree.table("zone");
    let public = || source::addresses(tree).into_iter().filter(|address| forbidden(*address, &[]).is_none()).collect();
    Zone {
        name: Some(table.text("name")).filter(|name| !name.is_empty()),
        name_servers: table.names("name_servers").unwrap_or_else(|| vec![tree.table("").text("hostname")]),
        addresses: table.addresses("addresses").unwrap_or_else(public),
        listen: table.sockets("listen"),
    }
}

fn delivery(tree: &Tree, folder: &Path) -> Delivery {
    let table = tree.table("delivery");
    Delivery {
        allow_private: table.flag("allow_private"),
        name_servers: table.sockets("name_servers"),
        source_addresses: table.addresses("source_addresses").unwrap_or_default(),
        retry_for: Duration::from_secs(table.number("retry_for").unwrap_or_default()),
        ca_file: table.path("ca_file", folder),
        shaping: table.path("shaping", folder),
        dane: match table.text("dane").as_str() {
            "on" => Dnssec::On,
            "off" => Dnssec::Off,
            _ => Dnssec::Auto,
        },
        mta_sts: table.flag("mta_sts"),
        trust_anchors: table.path("trust_anchors", folder),
        routes: tree.repeated("delivery.route").iter().map(|table| route::read(table, folder)).collect(),
    }
}

impl Table {
    fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        match self.value(name) {
            Some(Value::Addresses(addresses)) => Some(addresses.clone()),
            _ => None,
        }
    }

    fn names(&self, name: &str) -> Option<Vec<String>> {
        match self.value(name) {
            Some(Value::Names(names)) => Some(names.clone()),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> String {
        match self.value(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Flag(true)))
    }

    fn number(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn path(&self, name: &str, folder: &Path) -> Option<PathBuf> {
        match self.value(name) {
            Some(Value::Path(path)) => Some(folder.join(path)),
            _ => None,
        }
    }

    fn sockets(&self, name: &str) -> Vec<SocketAddr> {
        match self.value(name) {
            Some(Value::Sockets(sockets)) => sockets.clone(),
            _ => Vec::new(),
        }
    }

    fn networks(&self, name: &str) -> Vec<IpNet> {
        match self.value(name) {
            Some(Value::Networks(networks)) => networks.clone(),
            _ => Vec::new(),
        }
    }
}

/// The text on one line, as harmless on a terminal as in a log: control characters are spelt out.
fn visible(text: String) -> String {
    if !text.chars().any(char::is_control) {
        return text;
    }
    let spelt =
        |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() };
    text.chars().map(spelt).collect()
}

/// The word of a list that `given` was most likely meant to be.
pub(crate) fn nearest<'w>(given: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let given = given.to_lowercase();
    let near = |word: &&str| strsim::jaro_winkler(&given, word);
    let best = words.map(|word| (near(&word), word)).max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 > 0.75).then_some(best.1)
}

#[cfg(test)]
mod tests;
