//! What large providers say that they take: rules by the names of their mail servers or by domain, the operator's before ours.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::Allowance;
use crate::warm_up::OTHERS;

/// Our rules, as a text.
pub const OURS: &str = include_str!("providers.toml");

/// The rules that one text may have.
const PROVIDERS_MAX: usize = 2000;

/// The patterns of one rule.
const PATTERNS_MAX: usize = 200;

/// The octets of a site's name that is made of its hosts.
const NAME_OCTETS_MAX: usize = 200;

/// Why a text of rules is not taken. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvidersError {
    /// It is no TOML, or has fields that rules do not have; where and what.
    #[error("{0}")]
    Syntax(String),
    /// A rule that cannot be.
    #[error("provider {name:?}: {problem}")]
    Provider {
        /// Its name, or its place in the file where it has none: `number 3`.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More rules than can be.
    #[error("{0} providers; at most {PROVIDERS_MAX} can be")]
    TooMany(usize),
}

/// One provider's rule. What it does not say is as for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provider {
    /// Its name, which is its site's.
    pub name: Arc<str>,
    connections: Option<usize>,
    messages: Option<u32>,
    recipients: Option<u32>,
    per_minute: Option<u32>,
    idle: Option<Duration>,
}

impl Provider {
    /// What it takes, where everybody is given `connections` at once.
    pub fn allowance(&self, connections: usize) -> Allowance {
        Allowance {
            connections: self.connections.unwrap_or(connections),
            messages: self.messages.unwrap_or(0),
            recipients: self.recipients.unwrap_or(0),
            per_minute: self.per_minute.unwrap_or(0),
            idle: self.idle,
        }
    }
}

/// Providers, found by the name of a mail server or by a domain.
#[derive(Debug, Default)]
pub struct Providers {
    all: Vec<Provider>,
    names: HashSet<Arc<str>>,
    hosts: Patterns,
    domains: Patterns,
}

/// Which provider a name belongs to: exact names, and what stands below a name.
#[derive(Debug, Default)]
struct Patterns {
    exact: HashMap<String, usize>,
    below: HashMap<String, usize>,
}

impl Patterns {
    /// All that fit, in no order.
    fn fitting<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let parents = name.match_indices('.').filter_map(|(dot, _)| self.below.get(&name[dot + 1..]).copied());
        parents.chain(self.exact.get(name).copied())
    }

    /// The first in the file that fits.
    fn find(&self, name: &str) -> Option<usize> {
        self.fitting(name).min()
    }
}

static BUILT_IN: LazyLock<Arc<Providers>> = LazyLock::new(|| {
    // a test reads the text: what it holds is never left out in what ships
    Arc::new(Providers::parse(OURS).unwrap_or_default())
});

impl Providers {
    /// Our rules alone.
    pub fn ours() -> &'static Arc<Providers> {
        &BUILT_IN
    }

    /// The rules of a text, before ours.
    ///
    /// # Errors
    /// [`ProvidersError`]: the text is no list of rules; the operator has to put it right.
    pub fn before_ours(text: &str) -> Result<Providers, ProvidersError> {
        let mut written = read(text)?;
        let names: HashSet<String> = written.iter().map(|provider| provider.name.clone()).collect();
        // one of the operator's that has a name of ours stands in its place
        written.extend(read(OURS)?.into_iter().filter(|provider| !names.contains(&provider.name)));
        Ok(Providers::of(written))
    }

    /// The rules of a text, and no others.
    ///
    /// # Errors
    /// [`ProvidersError`]: the text is no list of rules.
    pub fn parse(text: &str) -> Result<Providers, ProvidersError> {
        read(text).map(Providers::of)
    }

    fn of(written: Vec<Written>) -> Providers {
        let mut providers = Providers::default();
        for provider in written {
            let number = providers.all.len();
            for (patterns, into) in [(&provider.mx, &mut providers.hosts), (&provider.domains, &mut providers.domains)]
            {
                for pattern in patterns {
                    match pattern.strip_prefix("*.") {
                        Some(parent) => into.below.entry(parent.to_owned()).or_insert(number),
                        None => into.exact.entry(pattern.clone()).or_insert(number),
                    };
                }
            }
            let name: Arc<str> = provider.name.into();
            providers.names.insert(Arc::clone(&name));
            providers.all.push(Provider {
                name,
                connections: provider.connections.and_then(|count| usize::try_from(count).ok()),
                messages: provider.messages_per_connection,
                recipients: provider.recipients_per_transaction,
                per_minute: provider.messages_per_minute,
                idle: provider.idle_seconds.map(|seconds| Duration::from_secs(seconds.into())),
            });
        }
        providers
    }

    /// The provider of a domain by its name alone.
    pub fn of_domain(&self, domain: &str) -> Option<&Provider> {
        self.domains.find(domain).and_then(|number| self.all.get(number))
    }

    /// The provider of a set of mail servers: the first in the file that all of them fit, since each of them may answer for
    /// the domain. Names are in lower case.
    pub fn of_hosts(&self, hosts: &[String]) -> Option<&Provider> {
        let (first, others) = hosts.split_first()?;
        let fits_all = |number: &usize| others.iter().all(|host| self.hosts.fitting(host).any(|one| one == *number));
        self.hosts.fitting(first).filter(fits_all).min().and_then(|number| self.all.get(number))
    }

    /// Whether a mail server is one of those that a site of this name stands for: the provider's, or those that the name is
    /// made of ([`name_of_hosts`]).
    pub fn has_server(&self, site: &str, host: &str) -> bool {
        if !self.is_named(site) {
            return site.split(',').any(|one| one == host);
        }
        let is_its = |number: usize| self.all.get(number).is_some_and(|provider| *provider.name == *site);
        self.hosts.fitting(host).any(is_its)
    }

    /// Whether a site of this name is a provider's.
    pub fn is_named(&self, site: &str) -> bool {
        self.names.contains(site)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}

/// The name of the site that a set of mail servers is: all of them, in whatever order they are given. None where that is too
/// long for a name: nobody shares such a set.
pub fn name_of_hosts(hosts: &[String]) -> Option<String> {
    let mut sorted: Vec<&str> = hosts.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let name = sorted.join(",");
    (name.len() <= NAME_OCTETS_MAX).then_some(name)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "provider")]
    providers: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mx: Vec<String>,
    #[serde(default)]
    domains: Vec<String>,
    connections: Option<u32>,
    messages_per_connection: Option<u32>,
    recipients_per_transaction: Option<u32>,
    messages_per_minute: Option<u32>,
    idle_seconds: Option<u32>,
}

fn read(text: &str) -> Result<Vec<Written>, ProvidersError> {
    let file: File = toml::from_str(text).map_err(|error| ProvidersError::Syntax(error.to_string()))?;
    if file.providers.len() > PROVIDERS_MAX {
        return Err(ProvidersError::TooMany(file.providers.len()));
    }
    let mut names = HashSet::new();
    let mut read = Vec::with_capacity(file.providers.len());
    for (place, mut provider) in file.providers.into_iter().enumerate() {
        let name = if provider.name.is_empty() { format!("number {}", place + 1) } else { provider.name.clone() };
        let wrong = |problem: String| ProvidersError::Provider { name: name.clone(), problem };
        check(&mut provider).map_err(wrong)?;
        if !names.insert(provider.name.clone()) {
            return Err(wrong("another provider has this name".to_owned()));
        }
        read.push(provider);
    }
    Ok(read)
}

fn check(provider: &mut Written) -> Result<(), String> {
    let is_plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'_' | b'-');
    if provider.name.is_empty() || provider.name.len() > 80 || !provider.name.bytes().all(is_plain) {
        return Err("a name is 1 to 80 small letters, digits, _ and -".to_owned());
    }
    if provider.name == OTHERS {
        return Err(format!(
            "{OTHERS:?} is what all providers are called together that no rule names: give it another name"
        ));
    }
    if provider.mx.is_empty() && provider.domains.is_empty() {
        return Err("it has neither mx nor domains, so it would fit nothing".to_owned());
    }
    if provider.mx.len() > PATTERNS_MAX || provider.domains.len() > PATTERNS_MAX {
        return Err(format!("at most {PATTERNS_MAX} patterns can stand in mx, and in domains"));
    }
    for pattern in provider.mx.iter_mut().chain(&mut provider.domains) {
        let name = pattern.strip_prefix("*.").unwrap_or(pattern);
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !name.split('.').all(label) {
            return Err(format!("{pattern:?}: a pattern is a name, or *. and a name: \"*.example.net\""));
        }
        pattern.make_ascii_lowercase();
    }
    let numbers = [
        ("connections", provider.connections, 1, 1_000),
        ("messages_per_connection", provider.messages_per_connection, 1, 10_000),
        ("recipients_per_transaction", provider.recipients_per_transaction, 1, 1_000),
        ("messages_per_minute", provider.messages_per_minute, 1, 1_000_000),
        ("idle_seconds", provider.idle_seconds, 0, 240),
    ];
    for (field, value, floor, ceiling) in numbers {
        if value.is_some_and(|value| value < floor || value > ceiling) {
            return Err(format!("{field} is {floor} to {ceiling}"));
        }
    }
    Ok(())
}
