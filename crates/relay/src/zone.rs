//! What the relay has in DNS: the records of a zone of its operator's, and what domains publish that lead to them or stand
//! for them.
//!
//! A zone has two branches. `LABEL.dkim.ZONE` holds the key that `SELECTOR._domainkey.DOMAIN` is an alias of,
//! `LABEL.rp.ZONE` what a domain's return-path host is an alias of. A label is a selector, random and never given twice,
//! and the number of its domain, by which it is found at once.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::directory::Directory;
use crate::dmarc_report;
use crate::id::Id;
use crate::sending_domain::{DkimKey, SendingDomain};
use crate::verification;

/// How long others may keep a record, seconds: a key that is rotated was there long before.
pub const TTL_SECONDS: u32 = 3_600;

/// How long others may keep that there is none (RFC 2308 §4), seconds: who adds a domain does not wait for longer.
pub const NEGATIVE_TTL_SECONDS: u32 = 60;

/// The longest name of a zone, octets: its longest names are still names that DNS can have.
pub const ZONE_OCTETS_MAX: usize = 190;

/// The octets of one string of a TXT record (RFC 1035 §3.3).
pub const STRING_OCTETS_MAX: usize = 255;

const KEYS: &str = "dkim";
const RETURN_PATHS: &str = "rp";
/// In front of the label of a return-path host, so that people know in their own zone what it is.
const RETURN_PATH: &str = "rp-";

/// What a relay is called and sends from, and the zone of its operator's, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publisher {
    /// The relay's name.
    pub hostname: String,
    /// The addresses that it sends from, as others see them; none: those that its name has.
    pub addresses: Vec<IpAddr>,
    /// The zone.
    pub zone: Option<Zone>,
    /// What makes the addresses where reports on DMARC are taken; none: none are.
    pub dmarc_reports: Option<dmarc_report::Addresses>,
}

/// A zone of the operator's for what the relay publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name, lower case, without the final dot.
    pub name: String,
    /// The name servers that it is delegated to.
    pub name_servers: Vec<String>,
    /// Whether the relay serves it itself.
    pub is_served: bool,
}

/// The data of a record. Names are without the final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// The start of the zone: its first name server, who answers for it, its serial number.
    Soa {
        /// The first name server.
        server: String,
        /// Who answers for it, as a name (RFC 1035 §3.3.13).
        responsible: String,
        /// Grows with each change.
        serial: u32,
    },
    /// A name server.
    Ns(String),
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// An alias.
    Cname(String),
    /// A mail server.
    Mx(u16, String),
    /// Text, its strings joined.
    Txt(String),
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name, without the final dot.
    pub name: String,
    /// What it holds.
    pub data: Data,
}

impl Record {
    /// A record of this name.
    pub fn new(name: impl Into<String>, data: Data) -> Record {
        Record { name: name.into(), data }
    }

    /// The type as DNS spells it.
    pub fn form(&self) -> &'static str {
        match self.data {
            Data::Soa { .. } => "SOA",
            Data::Ns(_) => "NS",
            Data::A(_) => "A",
            Data::Aaaa(_) => "AAAA",
            Data::Cname(_) => "CNAME",
            Data::Mx(..) => "MX",
            Data::Txt(_) => "TXT",
        }
    }

    /// The data as people paste it into the form of a provider: names with their final dot are for zone files alone.
    pub fn value(&self) -> String {
        match &self.data {
            Data::Soa { server, responsible, serial } => {
                format!("{server} {responsible} {serial} 3600 600 1209600 {NEGATIVE_TTL_SECONDS}")
            }
            Data::Ns(name) | Data::Cname(name) => name.clone(),
            Data::A(address) => address.to_string(),
            Data::Aaaa(address) => address.to_string(),
            Data::Mx(preference, host) => format!("{preference} {host}"),
            Data::Txt(text) => text.clone(),
        }
    }
}

/// A line of a zone file (RFC 1035 §5).
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {TTL_SECONDS} IN {} ", self.name, self.form())?;
        match &self.data {
            Data::Soa { server, responsible, serial } => {
                write!(f, "{server}. {responsible}. {serial} 3600 600 1209600 {NEGATIVE_TTL_SECONDS}")
            }
            Data::Ns(name) | Data::Cname(name) => write!(f, "{name}."),
            Data::Mx(preference, host) => write!(f, "{preference} {host}."),
            Data::Txt(text) => {
                let quoted: Vec<_> = strings(text).map(quoted).collect();
                f.write_str(&quoted.join(" "))
            }
            Data::A(_) | Data::Aaaa(_) => f.write_str(&self.value()),
        }
    }
}

/// The strings that a text is published in, of at most 255 octets each.
pub fn strings(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().chunks(STRING_OCTETS_MAX)
}

fn quoted(string: &[u8]) -> String {
    let text = String::from_utf8_lossy(string);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a zone has at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// The name is not of this zone.
    Outside,
    /// There is no such name, nor any below it.
    NoName,
    /// The name is there, with these records; without any where only names below it have some.
    Records(Vec<Record>),
}

impl Publisher {
    /// The name that a key's record is an alias of; none without a zone.
    pub fn key_target(&self, domain: &SendingDomain, key: &DkimKey) -> Option<String> {
        let zone = self.zone.as_ref()?;
        Some(format!("{}-{}.{KEYS}.{}", key.selector, domain.id, zone.name))
    }

    /// The name that a domain's return-path host is an alias of; none without a zone.
    pub fn return_path_target(&self, domain: &SendingDomain) -> Option<String> {
        let zone = self.zone.as_ref()?;
        Some(format!("{}-{}.{RETURN_PATHS}.{}", label(domain)?, domain.id, zone.name))
    }

    /// What a domain publishes for a key.
    pub fn key_record(&self, domain: &SendingDomain, key: &DkimKey) -> Record {
        let name = verification::name(domain, key);
        let data = self.key_target(domain, key).map_or_else(|| Data::Txt(key.record.clone()), Data::Cname);
        Record::new(name, data)
    }

    /// What a domain publishes for its return-path host: an alias, or without a zone what that would lead to. Nothing for
    /// one that has no keys.
    pub fn return_path_records(&self, domain: &SendingDomain) -> Vec<Record> {
        let Some(host) = return_path_host(domain) else { return Vec::new() };
        match self.return_path_target(domain) {
            Some(target) => vec![Record::new(host, Data::Cname(target))],
            None => self.of_return_path(&host),
        }
    }

    /// Where the relay takes reports on DMARC about a domain; none: nowhere.
    pub fn dmarc_address(&self, domain: &SendingDomain) -> Option<String> {
        self.dmarc_reports.as_ref()?.of(domain)
    }

    /// The DMARC record that is advised where there is none: reports, to the relay where it takes them, and nothing refused yet
    /// (RFC 7489 §6.3).
    pub fn advised_dmarc(&self, domain: &SendingDomain) -> Record {
        let reports = self.dmarc_address(domain).unwrap_or_else(|| format!("postmaster@{}", domain.name));
        let value = format!("v=DMARC1; p=none; rua=mailto:{reports}");
        Record::new(format!("_dmarc.{}", domain.name), Data::Txt(value))
    }

    /// The mail server and the senders of a return-path host.
    fn of_return_path(&self, host: &str) -> Vec<Record> {
        let mail = Data::Mx(10, self.hostname.clone());
        vec![Record::new(host, mail), Record::new(host, Data::Txt(self.spf()))]
    }

    /// Who may send with a return-path of the relay's (RFC 7208): its addresses alone.
    pub fn spf(&self) -> String {
        let address = |address: &IpAddr| match address {
            IpAddr::V4(address) => format!("ip4:{address} "),
            IpAddr::V6(address) => format!("ip6:{address} "),
        };
        let addresses: String = self.addresses.iter().map(address).collect();
        let senders = if addresses.is_empty() { format!("a:{} ", self.hostname) } else { addresses };
        format!("v=spf1 {senders}-all")
    }

    /// The records of the zone that are of no domain: its start, its name servers, the relay's own name.
    pub fn own_records(&self, serial: u32) -> Vec<Record> {
        let Some(zone) = &self.zone else { return Vec::new() };
        let apex = |data| Record::new(zone.name.clone(), data);
        let server = zone.name_servers.first().unwrap_or(&self.hostname).clone();
        let mut records = vec![apex(Data::Soa { server, responsible: format!("hostmaster.{}", zone.name), serial })];
        records.extend(zone.name_servers.iter().map(|server| apex(Data::Ns(server.clone()))));
        let hosts: BTreeSet<&String> = zone.name_servers.iter().chain([&self.hostname]).collect();
        for host in hosts.into_iter().filter(|host| zone.branch_of(host).is_some()) {
            records.extend(self.addresses.iter().map(|address| match address {
                IpAddr::V4(address) => Record::new(host.clone(), Data::A(*address)),
                IpAddr::V6(address) => Record::new(host.clone(), Data::Aaaa(*address)),
            }));
        }
        if zone.branch_of(&self.hostname).is_some() {
            // who receives may ask for the name that greets, too (RFC 7208 §2.3)
            records.push(Record::new(self.hostname.clone(), Data::Txt(self.spf())));
        }
        records
    }

    /// The records of a domain in the zone.
    pub fn records_of(&self, domain: &SendingDomain) -> Vec<Record> {
        let key = |key: &DkimKey| Some(Record::new(self.key_target(domain, key)?, Data::Txt(key.record.clone())));
        let mut records: Vec<Record> = domain.keys.iter().filter_map(key).collect();
        records.extend(self.return_path_target(domain).into_iter().flat_map(|target| self.of_return_path(&target)));
        records
    }

    /// What the zone has at a name, which is given in lower case without the final dot.
    pub fn held(&self, directory: &Directory, name: &str, serial: u32) -> Held {
        let Some(zone) = &self.zone else { return Held::Outside };
        let Some(branch) = zone.branch_of(name) else { return Held::Outside };
        let own: Vec<Record> = self.own_records(serial);
        let found: Vec<Record> = own.iter().filter(|record| record.name == name).cloned().collect();
        let is_above = |record: &Record| record.name.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        if !found.is_empty() || [KEYS, RETURN_PATHS].contains(&branch) || own.iter().any(is_above) {
            return Held::Records(found);
        }
        let domain = branch.split_once('.').and_then(|(label, _)| domain_of(directory, label));
        let records = domain.map(|domain| self.records_of(domain)).unwrap_or_default();
        let found: Vec<Record> = records.into_iter().filter(|record| record.name == name).collect();
        if found.is_empty() { Held::NoName } else { Held::Records(found) }
    }
}

impl Zone {
    /// What stands in front of the zone in a name, empty for the zone itself; none outside.
    fn branch_of<'n>(&self, name: &'n str) -> Option<&'n str> {
        let rest = name.strip_suffix(self.name.as_str())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_suffix('.') }
    }

    /// Whether a name is of this zone.
    pub fn holds(&self, name: &str) -> bool {
        self.branch_of(name).is_some()
    }
}

/// The domain whose number a label ends with, also one that is deleted and still has mail.
fn domain_of<'d>(directory: &'d Directory, label: &str) -> Option<&'d SendingDomain> {
    let (_, number) = label.rsplit_once('-')?;
    directory.domains.get(&Id::new(number.parse().ok()?)).map(AsRef::as_ref)
}

/// What is random in the names of a domain that are of no key: the selector of its first key.
fn label(domain: &SendingDomain) -> Option<&str> {
    domain.keys.first().map(|key| key.selector.as_str())
}

/// The host below a domain to which its bounces are to go.
pub fn return_path_host(domain: &SendingDomain) -> Option<String> {
    Some(format!("{RETURN_PATH}{}.{}", label(domain)?, domain.name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::clock::Timestamp;
    use crate::sending_domain::KeyAlgorithm;
    use std::sync::Arc;

    fn domain(id: u64) -> SendingDomain {
        let key = |selector: &str| {
            DkimKey::new(selector, KeyAlgorithm::Rsa2048, format!("v=DKIM1; p={}", "x".repeat(300)), true)
        };
        SendingDomain::new(
            Id::new(id),
            Id::<Account>::new(1),
            "shop.example",
            vec![key("abc"), key("def")],
            Timestamp(0),
        )
    }

    fn publisher() -> Publisher {
        let zone = Zone { name: "z.test".into(), name_servers: vec!["a.ns.z.test".into()], is_served: true };
        let addresses = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        Publisher { hostname: "out.z.test".into(), addresses, zone: Some(zone), dmarc_reports: None }
    }

    fn held(name: &str) -> Held {
        let domains = [(Id::new(7), Arc::new(domain(7)))].into_iter().collect();
        publisher().held(&Directory { domains, ..Directory::default() }, name, 1)
    }

    fn values(name: &str) -> Vec<String> {
        let Held::Records(records) = held(name) else { panic!("{name}: {:?}", held(name)) };
        records.iter().map(|record| format!("{} {}", record.form(), record.value())).collect()
    }

    #[test]
    fn every_record_is_found_at_its_name() {
        assert_eq!(values("abc-7.dkim.z.test"), [format!("TXT v=DKIM1; p={}", "x".repeat(300))]);
        let spf = "TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all";
        assert_eq!(values("abc-7.rp.z.test"), ["MX 10 out.z.test", spf]);
        assert_eq!(values("out.z.test"), ["A 192.0.2.1", "AAAA 2001:db8::1", spf]);
        assert_eq!(values("a.ns.z.test"), ["A 192.0.2.1", "AAAA 2001:db8::1"]);
        assert_eq!(values("z.test"), ["SOA a.ns.z.test hostmaster.z.test 1 3600 600 1209600 60", "NS a.ns.z.test"]);
        for between in ["dkim.z.test", "rp.z.test", "ns.z.test"] {
            assert!(values(between).is_empty(), "{between} is there, and has nothing");
        }
    }

    #[test]
    fn what_nobody_was_given_is_not_there() {
        let names = ["abc-8.dkim.z.test", "abd-7.dkim.z.test", "def-7.rp.z.test", "abc-7.z.test", "abc.dkim.z.test"];
        for name in names.into_iter().chain(["x.abc-7.dkim.z.test", "-.dkim.z.test", "nobody.z.test"]) {
            assert_eq!(held(name), Held::NoName, "{name}");
        }
        for name in ["z.test.example", "xz.test", "test", ""] {
            assert_eq!(held(name), Held::Outside, "{name}");
        }
    }

    #[test]
    fn a_zone_file_has_strings_that_dns_can_have() {
        let line = publisher().records_of(&domain(7))[0].to_string();
        let text = format!("v=DKIM1; p={}", "x".repeat(300));
        assert_eq!(line, format!("abc-7.dkim.z.test. 3600 IN TXT \"{}\" \"{}\"", &text[..255], &text[255..]));
        let apex: Vec<String> = publisher().own_records(9).iter().map(ToString::to_string).collect();
        assert_eq!(apex[0], "z.test. 3600 IN SOA a.ns.z.test. hostmaster.z.test. 9 3600 600 1209600 60");
        assert_eq!(apex[1], "z.test. 3600 IN NS a.ns.z.test.");
    }

    #[test]
    fn without_a_zone_a_domain_has_it_all_itself() {
        let (own, domain) = (Publisher { zone: None, ..publisher() }, domain(7));
        assert_eq!(own.key_record(&domain, &domain.keys[0]).form(), "TXT");
        let forms: Vec<_> = own.return_path_records(&domain).iter().map(Record::form).collect();
        assert_eq!((forms.as_slice(), own.records_of(&domain).len()), (&["MX", "TXT"][..], 0));
        let led = publisher().return_path_records(&domain);
        assert_eq!((led[0].name.as_str(), led[0].value().as_str()), ("rp-abc.shop.example", "abc-7.rp.z.test"));
        assert_eq!(own.advised_dmarc(&domain).value(), "v=DMARC1; p=none; rua=mailto:postmaster@shop.example");
        let taking = Publisher { dmarc_reports: Some(dmarc_report::Addresses::new([1; 32])), ..own.clone() };
        let address = taking.dmarc_address(&domain).unwrap();
        assert!(taking.advised_dmarc(&domain).value().ends_with(&format!("; rua=mailto:{address}")), "{address}");
        let nowhere = Publisher { addresses: Vec::new(), ..own };
        assert_eq!(nowhere.spf(), "v=spf1 a:out.z.test -all");
        assert!(publisher().return_path_records(&SendingDomain { keys: Vec::new(), ..domain }).is_empty());
    }
}
