//! What a file says against itself, and what the files and folders that it names say against it.

use net::acme::Challenge;
use relay::certificate::Alarm;
use relay::clock::Timestamp;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::read::Tree;
use super::{CertificatePair, Config, Problem, route, source, tls_reports};

/// Contradictions inside the file.
pub(super) fn contradictions(config: &Config, tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    listeners(config, tree, &mut problems);
    acme(config, tree, &mut problems);
    zone(config, tree, &mut problems);
    reports(config, tree, &mut problems);
    tls_reports::contradictions(config, tree, &mut problems);
    proxies(config, tree, &mut problems);
    if let Err(errors) = config.limits.check() {
        let table = tree.table("limits");
        for error in errors {
            let key = format!("limits.{}", error.limit.name);
            let remedy = format!("Write a number from {} to {}.", error.limit.floor, error.limit.ceiling);
            problems.push(Problem::fault(table.line_of(error.limit.name), key, error.to_string(), remedy));
        }
    }
    let delivery = tree.table("delivery");
    for family in [IpAddr::is_ipv4 as fn(&IpAddr) -> bool, IpAddr::is_ipv6] {
        if config.delivery.source_addresses.iter().filter(|ip| family(ip)).count() > 1 {
            problems.push(Problem::fault(
                delivery.line_of("source_addresses"),
                "delivery.source_addresses",
                "has several addresses of one family",
                "Write at most one IPv4 and one IPv6 address.",
            ));
        }
    }
    unsubscribe(config, tree, &mut problems);
    route::contradictions(config, tree, &mut problems);
    source::contradictions(config, tree, &mut problems);
    problems
}

/// Whether the word of everybody would be taken.
fn proxies(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let named = [
        ("submission", "proxy_networks", &config.submission.proxy_networks, "load balancers"),
        ("api", "trusted_proxies", &config.api_proxies, "reverse proxies"),
        ("console", "trusted_proxies", &config.console_proxies, "reverse proxies"),
    ];
    for (table, key, networks, whose) in named {
        for net in networks.iter().filter(|net| net.prefix_len() == 0) {
            problems.push(Problem::warning(
                tree.table(table).line_of(key),
                format!("{table}.{key}"),
                format!("{net} is the whole internet: anybody could claim any address"),
                format!("Name the networks of your {whose} alone."),
            ));
        }
    }
}

fn listeners(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let (submission, http, api) = (tree.table("submission"), tree.table("http"), tree.table("api"));
    let console = tree.table("console");
    if config.submission.starttls.is_empty() && config.submission.tls.is_empty() {
        problems.push(Problem::fault(
            submission.line,
            "submission",
            "listens nowhere: starttls and tls are both empty",
            "Name a port for at least one of them.",
        ));
    }
    let none = Vec::new();
    let groups = [
        ("submission.starttls", submission.line_of("starttls"), &config.submission.starttls),
        ("submission.tls", submission.line_of("tls"), &config.submission.tls),
        ("http.listen", http.line_of("listen"), &config.http),
        ("api.listen", api.line_of("listen"), &config.api),
        ("console.listen", console.line_of("listen"), &config.console),
        ("unsubscribe.listen", tree.table("unsubscribe").line_of("listen"), &config.unsubscribe.listen),
        ("bounces.listen", tree.table("bounces").line_of("listen"), &config.reports.listen),
        ("zone.listen", tree.table("zone").line_of("listen"), &config.zone.listen),
        ("acme.listen", tree.table("acme").line_of("listen"), config.acme.as_ref().map_or(&none, |acme| &acme.listen)),
    ];
    let mut seen: Vec<(&str, SocketAddr)> = Vec::new();
    for (key, line, sockets) in groups {
        for socket in sockets {
            if let Some((other, earlier)) = seen.iter().find(|(_, earlier)| collide(*earlier, *socket)) {
                problems.push(Problem::fault(
                    line,
                    key,
                    format!("{socket} is taken already by {earlier} of {other}"),
                    "Give each its own port.",
                ));
            }
            seen.push((key, *socket));
        }
    }
    for socket in config.http.iter().filter(|socket| !socket.ip().is_loopback()) {
        problems.push(Problem::warning(
            http.line_of("listen"),
            "http.listen",
            format!("{socket} can be reached from other machines, and asks for no login"),
            "Listen on 127.0.0.1, or let a firewall decide who may come.",
        ));
    }
}

/// Whether a certificate can come by itself as it is asked for.
fn acme(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let (table, submission) = (tree.table("acme"), tree.table("submission"));
    let Some(acme) = &config.acme else {
        let is_set = |key: &str| table.line_of(key) > table.line;
        let others = ["directory", "contact", "names", "challenge", "listen", "ca_file"];
        if !is_set("terms_agreed") && others.into_iter().any(is_set) {
            let what = "is not true: nothing is ordered, and the rest of [acme] means nothing";
            let remedy = "Read the authority's terms, then write `terms_agreed = true`.";
            problems.push(Problem::warning(table.line_of("terms_agreed"), "acme.terms_agreed", what, remedy));
        }
        return;
    };
    if submission.value("certificate").is_some() != submission.value("key").is_some() {
        let what = "stands alone: a certificate and its key go together";
        problems.push(Problem::fault(submission.line, "submission.certificate", what, "Write both, or none."));
    }
    if !acme.names.contains(&config.hostname) {
        problems.push(Problem::warning(
            table.line_of("names"),
            "acme.names",
            format!(
                "does not hold {}: clients that connect to the hostname would refuse the certificate",
                config.hostname
            ),
            "Put the hostname first.",
        ));
    }
    let mut pages = config.console.iter().chain(&config.api).filter(|socket| !socket.ip().is_loopback());
    if acme.challenge == Challenge::TlsAlpn && pages.next().is_none() {
        problems.push(Problem::fault(
            table.line_of("challenge"),
            "acme.challenge",
            "is tls-alpn-01, and nothing listens where the authority could ask",
            "Let the console listen on port 443 of an address that is reached from outside, or write \"http-01\".",
        ));
    }
    if acme.challenge == Challenge::Http && acme.listen.is_empty() {
        let what = "is empty: the authority would find nobody";
        problems.push(Problem::fault(table.line_of("listen"), "acme.listen", what, "Listen on port 80."));
    }
}

/// Whether recipients reach the page on which they unsubscribe.
fn unsubscribe(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let (table, page) = (tree.table("unsubscribe"), &config.unsubscribe);
    let Some(url) = &page.url else { return };
    let (line, key) = (table.line_of("url"), "unsubscribe.url");
    if !url.starts_with("https://") {
        let what = "does not begin with https://: no message tells where to unsubscribe (RFC 8058 asks for TLS)";
        problems.push(Problem::warning(line, key, what, "Give an address under TLS."));
    }
    if page.listen.is_empty() && config.console.is_empty() {
        let what = "is set, and nothing serves the page";
        problems.push(Problem::warning(line, key, what, "Let it listen below [unsubscribe], or serve the console."));
    }
}

/// Whether reports can come.
fn reports(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let table = tree.table("bounces");
    if config.reports.listen.is_empty() && config.reports.feedback.is_some() {
        let what = "is set, and nothing listens where complaints could come";
        let remedy = "Listen on port 25 below [bounces], or take `feedback` out.";
        problems.push(Problem::warning(table.line_of("feedback"), "bounces.feedback", what, remedy));
    }
}

/// Whether the zone can be found, and has what it needs.
fn zone(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let (table, zone) = (tree.table("zone"), &config.zone);
    let Some(name) = &zone.name else {
        if !zone.listen.is_empty() {
            let what = "has no zone to answer for: nothing listens";
            let remedy = "Name the zone with `name`, or leave this out.";
            problems.push(Problem::fault(table.line_of("listen"), "zone.listen", what, remedy));
        }
        return;
    };
    let lies_in = |host: &&String| config.publisher().zone.is_some_and(|zone| zone.holds(host));
    let inside = zone.name_servers.iter().chain([&config.hostname]).find(lies_in);
    if let Some(host) = inside.filter(|_| zone.addresses.is_empty()) {
        problems.push(Problem::fault(
            table.line_of("addresses"),
            "zone.addresses",
            format!("is empty, and {host} lies in {name}: it would have no address"),
            "Write the addresses of this machine, as others see them.",
        ));
    }
    if zone.listen.is_empty() && zone.name_servers == [config.hostname.clone()] {
        let what =
            "is not set: the relay itself would be the name server of the zone, and it does not listen for questions";
        let remedy = "Name the servers that have the zone, or let the relay answer with `listen`.";
        problems.push(Problem::warning(table.line_of("name_servers"), "zone.name_servers", what, remedy));
    }
}

/// Whether two listeners cannot stand beside one another. IPv6 ones take IPv6 alone.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() != 0
        && one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

/// What the files and folders say.
pub(super) fn files(config: &Config, tree: &Tree, now: Timestamp) -> Vec<Problem> {
    let mut problems = Vec::new();
    let first =
        Some(("submission", tree.table("submission"))).filter(|(_, table)| table.value("certificate").is_some());
    let further = tree.repeated("submission.certificates").iter().map(|table| ("submission.certificates", table));
    let tables = first.into_iter().chain(further);
    for (place, (pair, (section, table))) in config.submission.certificates.iter().zip(tables).enumerate() {
        let lines = (table.line_of("certificate"), table.line_of("key"));
        // that of [acme] comes before it, and is for the hostname
        let hostname = (place == 0 && config.acme.is_none()).then_some(config.hostname.as_str());
        certificate(pair, section, lines, hostname, now, &mut problems);
    }
    if let Some(file) = &config.delivery.ca_file {
        let line = tree.table("delivery").line_of("ca_file");
        if let Err(what) = authorities(file) {
            problems.push(Problem::fault(line, "delivery.ca_file", what, "Name a file of certificates in PEM."));
        }
    }
    if let Some(file) = &config.delivery.trust_anchors {
        let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
        if let Err(what) = read.and_then(|text| net::dns::check_trust_anchors(&text)) {
            let line = tree.table("delivery").line_of("trust_anchors");
            let remedy = "Name a file with the DNSKEY records of the root, as in a zone's file.";
            let what = format!("{}: {what}", file.display());
            problems.push(Problem::fault(line, "delivery.trust_anchors", what, remedy));
        }
    }
    route::files(config, tree, &mut problems);
    if let Some(file) = &config.store.master_key {
        let line = tree.table("store").line_of("master_key");
        // a new data folder gets a new key there; an old one needs its own
        let needed = config.data_dir.join("ledger.db").exists();
        if let Err(error) = std::fs::File::open(file)
            && (needed || error.kind() != std::io::ErrorKind::NotFound)
        {
            problems.push(Problem::fault(
                line,
                "store.master_key",
                format!("{}: {error}", file.display()),
                "Bring the file back, readable for the user that runs the relay alone: no password and no DKIM key works without it.",
            ));
        }
    }
    if let Some(file) = config.acme.as_ref().and_then(|acme| acme.ca_file.as_ref())
        && let Err(what) = authorities(file)
    {
        let line = tree.table("acme").line_of("ca_file");
        problems.push(Problem::fault(line, "acme.ca_file", what, "Name a file of certificates in PEM."));
    }
    if let Some(file) = &config.bounce_rules
        && let Err(what) = crate::bounces::read(file)
    {
        let line = tree.table("bounces").line_of("rules");
        problems.push(Problem::fault(line, "bounces.rules", what, "docs/operate/bounces.md says what a rule has."));
    }
    if let Some(file) = &config.delivery.shaping
        && let Err(what) = crate::shaping::read(file)
    {
        let line = tree.table("delivery").line_of("shaping");
        problems.push(Problem::fault(line, "delivery.shaping", what, "docs/operate/delivery.md says what a rule has."));
    }
    data_dir(&config.data_dir, tree.table("").line_of("data_dir"), &mut problems);
    problems
}

fn certificate(
    pair: &CertificatePair,
    section: &str,
    lines: (usize, usize),
    hostname: Option<&str>,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) {
    let (at_certificate, at_key) = (format!("{section}.certificate"), format!("{section}.key"));
    let mut readable = true;
    for (file, line, key) in [(&pair.certificate, lines.0, &at_certificate), (&pair.key, lines.1, &at_key)] {
        if let Err(error) = std::fs::read(file) {
            readable = false;
            let remedy = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    "Name a file that is there; `envoi demo` shows a relay with a certificate of its own."
                }
                std::io::ErrorKind::PermissionDenied => "Let the user that runs the relay read it.",
                _ => "Name a file that can be read.",
            };
            problems.push(Problem::fault(line, key, format!("{}: {error}", file.display()), remedy));
        }
    }
    if !readable {
        return;
    }
    let files = net::tls::CertificateFiles { certificate: pair.certificate.clone(), key: pair.key.clone() };
    let facts = match net::tls::Certificates::load(vec![files]) {
        Ok(loaded) => loaded.facts(),
        Err(error) => {
            let of_key = matches!(&error, net::tls::CertificateError::Content { path, .. } if *path == pair.key);
            let (line, key) = if of_key { (lines.1, at_key) } else { (lines.0, at_certificate) };
            let remedy = "The certificate file holds the chain, the server's own first; the key file holds the key it was made for; both in PEM.";
            problems.push(Problem::fault(line, key, error.to_string(), remedy));
            return;
        }
    };
    for fact in facts {
        let (ends, what) = (fact.validity.ends, format!("{} ", pair.certificate.display()));
        let days = |length: Duration| length.as_secs() / 86_400;
        match fact.validity.alarm(now) {
            Some(Alarm::Ended) => {
                let what = format!("{what}expired {} days ago", days(now.since(ends)));
                problems.push(Problem::fault(lines.0, &at_certificate, what, "Renew it; no client would go on."));
            }
            Some(Alarm::Near | Alarm::Soon) => {
                let what = format!("{what}expires in {} days", days(ends.since(now)));
                problems.push(Problem::warning(lines.0, &at_certificate, what, "Renew it; it is taken up by itself."));
            }
            None => {}
        }
        if let Some(hostname) = hostname
            && !fact.names.iter().any(|name| name_covers(name, hostname))
        {
            problems.push(Problem::warning(
                lines.0,
                &at_certificate,
                format!("{what}is for {}, not for {hostname}", fact.names.join(", ")),
                "Clients that connect to the hostname would refuse it: get one for that name.",
            ));
        }
    }
}

/// Whether a certificate's name is the host's (RFC 9525 §6.3: a star stands for one label).
fn name_covers(name: &str, host: &str) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let below = name.strip_prefix("*.").zip(host.split_once('.'));
    below.is_some_and(|(parent, (_, rest))| parent.eq_ignore_ascii_case(rest))
}

fn authorities(file: &Path) -> Result<(), String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let name = file.display();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| format!("{name}: {error}"))?;
    let mut count = 0;
    for certificate in certificates {
        certificate.map_err(|error| format!("{name}: {error}"))?;
        count += 1;
    }
    if count == 0 { Err(format!("{name} holds no certificate")) } else { Ok(()) }
}

fn data_dir(folder: &Path, line: usize, problems: &mut Vec<Problem>) {
    let name = folder.display();
    let mut fault = |what: String, remedy: &str| problems.push(Problem::fault(line, "data_dir", what, remedy));
    // the nearest folder that is there has to let us in, or let us make the rest
    let Some(existing) = folder.ancestors().find(|folder| folder.exists()) else {
        return fault(format!("{name}: no such folder"), "Name a folder that is there or can be made.");
    };
    if !existing.is_dir() {
        return fault(format!("{} is a file", existing.display()), "Name a folder.");
    }
    if rustix::fs::access(existing, rustix::fs::Access::WRITE_OK).is_err() {
        fault(
            format!("{} cannot be written to by this user", existing.display()),
            "Run the check as the user that runs the relay, or give that user the folder.",
        );
    }
}
