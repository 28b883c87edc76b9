//! `[[source]]`, `[[pool]]` and `[warm_up]`: where mail is sent from, and what the rest of the file says against it.

use relay::source::{PoolSpec, Source, Sources, SourcesError, Whose};
use relay::warm_up::Ladder;
use std::net::IpAddr;

use super::read::{Table, Tree};
use super::value::Value;
use super::{Config, Problem};

/// What the tables say; none of them where they contradict one another, which [`contradictions`] tells.
pub(super) fn read(tree: &Tree) -> Sources {
    parsed(tree).unwrap_or_default()
}

/// How fast sources warm up; as fast as ours where the table cannot be used, which [`contradictions`] tells.
pub(super) fn ladder(tree: &Tree) -> Ladder {
    climbed(tree).unwrap_or_default()
}

fn climbed(tree: &Tree) -> Result<Ladder, String> {
    match tree.table("warm_up").value("messages") {
        Some(Value::Numbers(rungs)) => Ladder::new(rungs),
        _ => Ok(Ladder::default()),
    }
}

fn parsed(tree: &Tree) -> Result<Sources, SourcesError> {
    let hostname = tree.table("").text("hostname");
    let sources = tree.repeated("source").iter().map(|table| source(table, &hostname)).collect();
    let numbers = |table: &Table, name: &str| match table.value(name) {
        Some(Value::Numbers(numbers)) => numbers.clone(),
        _ => Vec::new(),
    };
    let pool = |table: &Table| {
        let members = match table.value("sources") {
            Some(Value::Weights(members)) => members.clone(),
            _ => Vec::new(),
        };
        let whose = Whose {
            domains: table.names("domains").unwrap_or_default(),
            accounts: numbers(table, "accounts"),
            plans: numbers(table, "plans"),
        };
        PoolSpec { name: table.text("name"), members, whose }
    };
    Sources::new(sources, tree.repeated("pool").iter().map(pool).collect())
}

fn source(table: &Table, hostname: &str) -> Source {
    let addresses = table.addresses("addresses").unwrap_or_default();
    let hello = Some(table.text("hello")).filter(|hello| !hello.is_empty());
    Source {
        name: table.text("name"),
        v4: addresses.iter().find_map(|address| if let IpAddr::V4(v4) = address { Some(*v4) } else { None }),
        v6: addresses.iter().find_map(|address| if let IpAddr::V6(v6) = address { Some(*v6) } else { None }),
        hello: hello.unwrap_or_else(|| hostname.to_owned()),
        warm_up: table.flag("warm_up"),
    }
}

/// Every address that is sent from, where the file says which.
pub(super) fn addresses(tree: &Tree) -> Vec<IpAddr> {
    let nameless = tree.table("delivery").addresses("source_addresses").unwrap_or_default();
    let of = |table: &Table| table.addresses("addresses").unwrap_or_default();
    nameless.into_iter().chain(tree.repeated("source").iter().flat_map(of)).collect()
}

/// What they say against one another, and the rest of the file against them.
pub(super) fn contradictions(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let tables = tree.repeated("source");
    if let Err(error) = parsed(tree) {
        let (key, found, place) = match &error {
            SourcesError::Source(place, _) => ("source", tables, *place),
            SourcesError::Pool(place, _) => ("pool", tree.repeated("pool"), *place),
        };
        let line = found.get(place).map_or(1, |table| table.line);
        problems.push(Problem::fault(line, key, error.to_string(), "docs/operate/sources.md shows sources and pools."));
    }
    if let Err(what) = climbed(tree) {
        let line = tree.table("warm_up").line_of("messages");
        let remedy = "Write the messages of a day on each rung, from few to many: [50, 100, 200].";
        problems.push(Problem::fault(line, "warm_up.messages", what, remedy));
    }
    for (pool, line) in warming_alone(config, tree) {
        let what = format!("all sources of the pool {pool} warm up: what is beyond their allowance waits");
        let remedy =
            "Give the pool a source that is warm, or expect mail to wait until the next day (docs/operate/sources.md).";
        problems.push(Problem::warning(line, "pool.sources", what, remedy));
    }
    for table in tables {
        let addresses = table.addresses("addresses").unwrap_or_default();
        for family in [IpAddr::is_ipv4 as fn(&IpAddr) -> bool, IpAddr::is_ipv6] {
            if addresses.iter().filter(|ip| family(ip)).count() > 1 {
                let what = "has several addresses of one family";
                let remedy = "Write at most one IPv4 and one IPv6 address; a further one is a source of its own.";
                problems.push(Problem::fault(table.line_of("addresses"), "source.addresses", what, remedy));
            }
        }
        let hidden = |address: &&IpAddr| !config.zone.addresses.is_empty() && !config.zone.addresses.contains(address);
        if let Some(address) = addresses.iter().find(hidden) {
            let what =
                format!("{address} is not among the addresses that [zone] publishes: SPF would fail for its mail");
            let remedy =
                "Write the address, as others see it, below [zone] too; where it is seen as another one this is right.";
            problems.push(Problem::warning(table.line_of("addresses"), "source.addresses", what, remedy));
        }
    }
    if !tables.is_empty() && !config.delivery.source_addresses.is_empty() {
        let line = tree.table("delivery").line_of("source_addresses");
        let what = "is set beside [[source]]: what is sent from would be said twice";
        problems.push(Problem::fault(line, "delivery.source_addresses", what, "Make a [[source]] of these addresses."));
    }
}

/// The pools that have no source but such as warm up, each with its line; the line of the first source where no pool is written.
fn warming_alone<'a>(config: &'a Config, tree: &'a Tree) -> impl Iterator<Item = (&'a str, usize)> {
    let written = tree.repeated("pool").iter().map(|table| table.line_of("sources"));
    let line = tree.repeated("source").first().map_or(1, |table| table.line);
    let lines = written.chain(std::iter::repeat(line));
    let pools = config.sources.pools().map(|(_, pool)| pool).zip(lines);
    let warms_up = |id| config.sources.source(id).is_some_and(|source| source.warm_up);
    let alone = pools.filter(move |(pool, _)| pool.members.iter().all(|(member, _)| warms_up(*member)));
    alone.map(|(pool, line)| (pool.name.as_str(), line))
}
