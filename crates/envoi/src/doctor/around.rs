//! What `doctor` looks at outside: DNS, the relay's own name, and port 25 of others.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};

use net::dns::{Dns, DnsSettings, Dnssec, LookupError, Resolver};
use relay::dane::Validation;

use super::{Said, Sheet};
use crate::config::Config;
use crate::wire::dns_settings;

/// Domains that have taken mail for decades, on three networks: one that answers is enough.
const OTHERS: [&str; 3] = ["gmail.com", "outlook.com", "icloud.com"];
/// How long an answer of DNS is waited for.
pub(crate) const DNS_PATIENCE: Duration = Duration::from_secs(8);
const DIAL_PATIENCE: Duration = Duration::from_secs(8);
const UNTIL_RESTART: &str =
    "If mail is to go without DANE, start the relay again: with `dane = \"auto\"` it looks anew.";
/// How long a mail server of three is looked for.
const WAY_OUT_PATIENCE: Duration = Duration::from_secs(20);

/// Looks around. `found`: what the relay that runs found of DNSSEC.
pub(super) async fn look(config: &Config, found: Option<Validation>, sheet: &mut Sheet) {
    let settings = match dns_settings(config) {
        Ok(settings) => settings,
        Err(fault) => return sheet.fail("dnssec", Said::plain(fault.what), fault.remedy),
    };
    // whether it works is looked at even where it is a must
    let dnssec = if settings.dnssec == Dnssec::Off { Dnssec::Off } else { Dnssec::Auto };
    let (query_max, question_max) = (Duration::from_secs(3), DNS_PATIENCE);
    let dns = match Dns::new(&DnsSettings { query_max, attempts: 2, question_max, dnssec, ..settings }) {
        Ok(dns) => dns,
        Err(error) => {
            let remedy = "Put /etc/resolv.conf right, or name resolvers with `name_servers` below [delivery].";
            return sheet.fail("dns", said!("dns-unusable", "{error}", error = error), remedy);
        }
    };
    let routed = config.delivery.routes.iter().any(|table| table.route.pattern == "*");
    let hosts = resolves(&dns, routed, sheet).await;
    // what waits for others waits at once, and is told in this order
    let found = match found {
        Some(known) if known != Validation::Unknown => Ok(known),
        _ => dns.look_at_dnssec(DNS_PATIENCE).await,
    };
    signatures(config.delivery.dane, found, sheet);
    let (mut name, mut zone, mut way) = (Sheet::default(), Sheet::default(), Sheet::default());
    let way_out = async {
        if routed { next_hops(config, &dns, &mut way).await } else { port_25(config, &dns, hosts, &mut way).await }
    };
    tokio::join!(own_name(config, &dns, &mut name), own_zone(config, &dns, &mut zone), way_out);
    sheet.checks.extend(name.checks.into_iter().chain(zone.checks).chain(way.checks));
}

/// Whether names can be asked; the mail hosts that were found.
async fn resolves(dns: &Dns, routed: bool, sheet: &mut Sheet) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut last = String::new();
    let answers = tokio::join!(dns.mx(OTHERS[0]), dns.mx(OTHERS[1]), dns.mx(OTHERS[2]));
    for (domain, answer) in OTHERS.into_iter().zip([answers.0, answers.1, answers.2]) {
        match answer {
            Ok(mut mx) => {
                mx.sort_by_key(|mx| mx.preference);
                hosts.extend(mx.into_iter().next().map(|mx| mx.host));
            }
            Err(error) => last = format!("{domain}: {error}"),
        }
    }
    let remedy = "Nothing can be delivered by MX without DNS: see `name_servers` below [delivery] and the firewall (port 53, UDP and TCP).";
    match (hosts.is_empty(), routed) {
        (false, _) => sheet.ok("dns", said!("dns-answers", "the resolver answers ({hosts})", hosts = hosts.join(", "))),
        (true, false) => {
            sheet.fail("dns", said!("dns-silent", "names cannot be looked up ({error})", error = last), remedy);
        }
        (true, true) => sheet.warn(
            "dns",
            said!("dns-silent-routed", "names cannot be looked up ({error})", error = last),
            "Every domain has a route, so mail goes on.",
        ),
    }
    hosts
}

/// Whether DANE works: answers have to come with their signatures.
fn signatures(wanted: Dnssec, found: Result<Validation, LookupError>, sheet: &mut Sheet) {
    const REMEDY: &str = "Name a resolver that hands on DNSSEC signatures (unbound, on this machine) with `name_servers` below [delivery], \
                          and see whether the clock is right.";
    match (wanted, found) {
        (Dnssec::Off, _) | (_, Ok(Validation::Off | Validation::Unknown)) => {}
        (_, Ok(Validation::Holds)) => {
            sheet.ok("dnssec", said!("dnssec-holds", "the resolver hands on signatures that hold: DANE works"));
        }
        (Dnssec::On, Ok(Validation::Fails | Validation::Without)) => {
            let found = said!(
                "dnssec-missing",
                "the resolver hands on no signatures that hold, and `dane` is on: no mail goes out by MX"
            );
            sheet.fail("dnssec", found, REMEDY);
        }
        (Dnssec::Auto, Ok(Validation::Fails)) => {
            let found = said!(
                "dnssec-lost",
                "the resolver handed on signatures that held, and does not any more: no mail goes out by MX"
            );
            sheet.fail("dnssec", found, format!("{REMEDY} {UNTIL_RESTART}"));
        }
        (Dnssec::Auto, Ok(Validation::Without)) => {
            let found =
                said!("dnssec-none", "the resolver hands on no signatures that hold: mail goes out without DANE");
            sheet.warn("dnssec", found, REMEDY);
        }
        (_, Err(error)) => sheet.warn("dnssec", said!("dnssec-unknown", "not known: {error}", error = error), REMEDY),
    }
}

/// The relay's own name: others look at it, and at what its address is called.
async fn own_name(config: &Config, dns: &Dns, sheet: &mut Sheet) {
    let name = &config.hostname;
    if name == "localhost" {
        return sheet.warn(
            "hostname",
            said!("hostname-local", "localhost is no name for others"),
            "Set `hostname` before mail goes to the internet.",
        );
    }
    let addresses = match dns.addresses(name).await {
        Ok(addresses) => addresses,
        Err(error @ (LookupError::NoSuchName | LookupError::NoRecord)) => {
            let remedy = format!("Publish an A (and AAAA) record for {name}: many servers refuse a name without.");
            return sheet.fail(
                "hostname",
                said!("hostname-none", "{name}: {error}", name = name, error = error),
                remedy,
            );
        }
        Err(error) => return sheet.warn("hostname", unknown(name, &error), UNKNOWN),
    };
    let list: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    sheet.ok("hostname", said!("hostname-is", "{name} is {addresses}", name = name, addresses = list.join(", ")));
    for address in addresses.iter().take(4) {
        reverse(dns, name, *address, sheet).await;
    }
    policy(dns, name, &addresses, sheet).await;
}

/// Bounce mails have no sender: who checks SPF then asks for the name that we greet with (RFC 7208 §2.4).
async fn policy(dns: &Dns, name: &str, addresses: &[IpAddr], sheet: &mut Sheet) {
    let networks: String = addresses
        .iter()
        .map(|address| if address.is_ipv4() { format!("ip4:{address} ") } else { format!("ip6:{address} ") })
        .collect();
    let record = format!("v=spf1 {networks}-all");
    let found = match dns.txt(name).await {
        Ok(texts) => texts.into_iter().find(|text| text.to_ascii_lowercase().starts_with("v=spf1")),
        Err(LookupError::NoSuchName | LookupError::NoRecord) => None,
        Err(error) => return sheet.warn("spf", unknown(name, &error), UNKNOWN),
    };
    match found {
        Some(text) => sheet.ok("spf", said!("spf-is", "{name}: {text}", name = name, text = text)),
        None => {
            let remedy = format!("Publish a TXT record for {name}: {record}");
            sheet.warn("spf", said!("spf-none", "{name} has no SPF record", name = name; record = record), remedy);
        }
    }
}

/// The zone, as others find it: its name is there as soon as it is delegated, whatever records that has.
async fn own_zone(config: &Config, dns: &Dns, sheet: &mut Sheet) {
    let Some(zone) = &config.zone.name else { return };
    match dns.txt(zone).await {
        Ok(_) | Err(LookupError::NoRecord) => {
            sheet.ok("zone", said!("zone-found", "{zone} is found", zone = zone));
        }
        Err(error @ LookupError::NoSuchName) => {
            let servers = config.zone.name_servers.join(", ");
            let remedy = format!(
                "Publish NS records for {zone} that name {servers}, and have that answer: `envoi zone show` prints what is in it."
            );
            let found = said!("zone-none", "{zone}: {error}", zone = zone, error = error; servers = servers);
            sheet.fail("zone", found, remedy);
        }
        Err(error) => sheet.warn(
            "zone",
            said!("zone-unknown", "{zone}: {error}", zone = zone, error = error),
            "See whether its name servers answer over UDP and TCP, from outside: without them no signature can be checked.",
        ),
    }
}

const UNKNOWN: &str = "Not known: DNS did not answer.";

/// What a question without an answer leaves to say.
fn unknown(asked: impl Display, error: &LookupError) -> Said {
    said!("not-known", "{asked}: {error}", asked = asked, error = error)
}

async fn reverse(dns: &Dns, name: &str, address: IpAddr, sheet: &mut Sheet) {
    let remedy =
        format!("Ask whoever gave you {address} to set its reverse name to {name}: many servers refuse mail without.");
    match dns.names_of(address).await {
        Ok(names) if names.iter().any(|found| found.eq_ignore_ascii_case(name)) => {
            sheet.ok("reverse name", said!("reverse-is", "{address} is called {name}", address = address, name = name));
        }
        Ok(names) => {
            let names = names.join(", ");
            let found =
                said!("reverse-other", "{address} is called {names}", address = address, names = names; name = name);
            sheet.warn("reverse name", found, remedy);
        }
        Err(error @ (LookupError::NoSuchName | LookupError::NoRecord)) => {
            let found = said!("reverse-none", "{address}: {error}", address = address, error = error; name = name);
            sheet.warn("reverse name", found, remedy);
        }
        Err(error) => sheet.warn("reverse name", unknown(address, &error), UNKNOWN),
    }
}

/// Every next hop that a route names.
async fn next_hops(config: &Config, dns: &Dns, sheet: &mut Sheet) {
    for route in config.delivery.routes.iter().map(|table| &table.route) {
        let name = format!("{}:{}", route.host, route.port);
        let addresses = match route.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => dns.addresses(&route.host).await.unwrap_or_default(),
        };
        // what begins with TLS greets nobody before that
        let dialled = if route.implicit_tls {
            open(config, &addresses, route.port).await
        } else {
            dial(config, &addresses, route.port).await
        };
        match dialled {
            Ok(_) if route.implicit_tls => {
                sheet.ok("next hop", said!("next-hop-open", "{name} takes connections", name = name));
            }
            Ok(greeting) => {
                sheet.ok("next hop", said!("server-says", "{name} says {greeting}", name = name, greeting = greeting));
            }
            Err(error) => {
                let remedy = "Mail on this route waits until it answers: see the host, the port and the firewall.";
                let found = said!("next-hop-silent", "{name}: {error}", name = name, error = error);
                sheet.fail("next hop", found, remedy);
            }
        }
    }
}

/// Whether the world's port 25 can be reached from here; most clouds close it.
async fn port_25(config: &Config, dns: &Dns, hosts: Vec<String>, sheet: &mut Sheet) {
    if hosts.is_empty() {
        return sheet.warn(
            "port 25",
            said!("way-out-untried", "not tried: no name could be looked up"),
            "Without DNS it cannot be told whether mail could go out. Put DNS right and ask again.",
        );
    }
    let mut last = String::new();
    let trying = async {
        for host in hosts {
            let addresses = dns.addresses(&host).await.unwrap_or_default();
            match dial(config, &addresses, 25).await {
                Ok(greeting) => {
                    return Some(said!("server-says", "{name} says {greeting}", name = host, greeting = greeting));
                }
                Err(error) => last = format!("{host}: {error}"),
            }
        }
        None
    };
    if let Ok(Some(found)) = tokio::time::timeout(WAY_OUT_PATIENCE, trying).await {
        return sheet.ok("port 25", found);
    }
    sheet.fail(
        "port 25",
        said!("way-out-closed", "no mail server of three could be reached ({error})", error = last),
        "Outgoing port 25 seems to be closed: ask your provider to open it, or send through another server with a [[delivery.route]].",
    );
}

/// Connects and reads the greeting.
async fn dial(config: &Config, addresses: &[IpAddr], port: u16) -> Result<String, String> {
    let mut last = "no address".to_owned();
    for address in addresses.iter().take(4) {
        let trying = async {
            let mut stream = connect(config, *address, port).await?;
            let mut octets = [0; 512];
            let count = stream.read(&mut octets).await?;
            let text = String::from_utf8_lossy(&octets[..count]).into_owned();
            Ok::<_, std::io::Error>(text.lines().next().unwrap_or_default().to_owned())
        };
        match tokio::time::timeout(DIAL_PATIENCE, trying).await {
            Ok(Ok(greeting)) if greeting.starts_with("220") => return Ok(greeting),
            Ok(Ok(greeting)) => last = format!("{address} says `{greeting}`"),
            Ok(Err(error)) => last = format!("{address}: {error}"),
            Err(_) => last = format!("{address}: no answer in {} s", DIAL_PATIENCE.as_secs()),
        }
    }
    Err(last)
}

/// Connects, and says nothing.
async fn open(config: &Config, addresses: &[IpAddr], port: u16) -> Result<String, String> {
    let mut last = "no address".to_owned();
    for address in addresses.iter().take(4) {
        match tokio::time::timeout(DIAL_PATIENCE, connect(config, *address, port)).await {
            Ok(Ok(_)) => return Ok(String::new()),
            Ok(Err(error)) => last = format!("{address}: {error}"),
            Err(_) => last = format!("{address}: no answer in {} s", DIAL_PATIENCE.as_secs()),
        }
    }
    Err(last)
}

/// From the configured source address, as mail would go.
async fn connect(config: &Config, address: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let named = config.sources.iter().flat_map(|(_, source)| source.addresses());
    let mut sources = named.chain(config.delivery.source_addresses.iter().copied());
    if let Some(source) = sources.find(|source| source.is_ipv4() == address.is_ipv4()) {
        socket.bind((source, 0).into())?;
    }
    socket.connect((address, port).into()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result and the code of the check.
    fn checked(wanted: Dnssec, found: Result<Validation, LookupError>) -> Option<(String, String)> {
        let mut sheet = Sheet::default();
        signatures(wanted, found, &mut sheet);
        sheet.checks.pop().map(|check| (check.result, check.code.unwrap_or_default()))
    }

    #[test]
    fn dane_is_said_to_work_only_where_it_does() {
        use Validation::{Fails, Holds, Off, Without};
        let said = |result: &str, code: &str| Some((result.to_owned(), code.to_owned()));
        for (wanted, found, expected) in [
            (Dnssec::Auto, Holds, said("ok", "dnssec-holds")),
            (Dnssec::Auto, Without, said("warn", "dnssec-none")),
            (Dnssec::Auto, Fails, said("fail", "dnssec-lost")),
            (Dnssec::On, Holds, said("ok", "dnssec-holds")),
            (Dnssec::On, Fails, said("fail", "dnssec-missing")),
            (Dnssec::On, Without, said("fail", "dnssec-missing")),
            (Dnssec::Off, Off, None),
        ] {
            assert_eq!(checked(wanted, Ok(found)), expected, "{wanted:?} {found:?}");
        }
        let unknown = checked(Dnssec::Auto, Err(LookupError::Fault("no answer".into())));
        assert_eq!(unknown, said("warn", "dnssec-unknown"));
    }
}
