//! Where mail for a domain goes: the operator's routes, first match wins; without one, MX.

use serde::{Deserialize, Serialize};
use smtp::client::Login;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::queue::TlsWish;
use crate::reroute::Via;

/// How TLS is used towards a next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteTls {
    /// Never.
    None,
    /// Where offered, without checking the certificate; fall back to clear (RFC 7435).
    #[default]
    Opportunistic,
    /// Always, without checking the certificate.
    Encrypted,
    /// Always, with a certificate that is valid for the host.
    Required,
}

/// One of the operator's routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `*`, `example.com`, or `*.example.com`.
    pub pattern: String,
    /// The next hop's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS towards it.
    pub tls: RouteTls,
    /// TLS from the first octet (RFC 8314 §3.3), not by STARTTLS.
    pub implicit_tls: bool,
    /// Whom it is to take us for; none: nobody logs in there.
    pub login: Option<Login>,
    /// How long to retry on this route.
    pub retry_for: Option<Duration>,
    /// Sign with keys that have not been seen in DNS.
    pub sign_unpublished: bool,
}

/// Where one recipient's mail goes. Recipients of equal destination share a site, its connections and transactions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// The MX hosts of the domain.
    Mx {
        /// The domain, lower case, A-labels.
        domain: String,
    },
    /// The same, for mail that no policy about TLS is to keep from arriving: what such a policy keeps waiting does not hold it
    /// up, and no connection of the one carries the other.
    Waiving {
        /// The domain, lower case, A-labels.
        domain: String,
    },
    /// A route's host, by its place in the list.
    Route {
        /// Its place.
        index: usize,
    },
}

impl Destination {
    /// Whether it is a route's host.
    pub fn is_route(&self) -> bool {
        matches!(self, Destination::Route { .. })
    }
}

/// Why a list of routes cannot be used. The text names the route and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The pattern is none of the three forms.
    #[error("route {number}: `{pattern}` is not a pattern; write `*`, `example.com` or `*.example.com`")]
    Pattern {
        /// Its place, counted from 1.
        number: usize,
        /// As written.
        pattern: String,
    },
    /// The host is empty, or has characters that no host name has.
    #[error("route {number}: `{host}` is not a host; write a name or an address, without port or brackets")]
    Host {
        /// Its place, counted from 1.
        number: usize,
        /// As written.
        host: String,
    },
    /// Port 0.
    #[error("route {number}: the port must be 1 to 65535")]
    Port {
        /// Its place, counted from 1.
        number: usize,
    },
    /// TLS from the first octet, and no TLS.
    #[error("route {number}: `implicit_tls` is TLS, and `tls` is \"none\"")]
    Tls {
        /// Its place, counted from 1.
        number: usize,
    },
    /// A password would go in the clear to another machine.
    #[error(
        "route {number}: a password goes in the clear to this machine alone; write an address of loopback, or use TLS"
    )]
    ClearLogin {
        /// Its place, counted from 1.
        number: usize,
    },
    /// A password, and nothing that it could go over.
    #[error("route {number}: a password is not sent without TLS, and `tls` is \"none\"")]
    NoWayForLogin {
        /// Its place, counted from 1.
        number: usize,
    },
}

impl Route {
    /// TLS towards it, as it comes about: what begins with TLS never goes on without.
    pub fn tls(&self) -> RouteTls {
        match self.tls {
            RouteTls::Opportunistic if self.implicit_tls => RouteTls::Encrypted,
            tls => tls,
        }
    }

    /// Whom the host at this address is to take us for. In the clear that is said to this machine alone, and only where the
    /// route wants it so.
    pub fn login_at(&self, address: IpAddr) -> Option<Login> {
        let login = self.login.as_ref()?;
        Some(Login { in_clear: login.in_clear && address.is_loopback(), ..login.clone() })
    }

    /// What is wrong with its TLS and its login.
    fn check_secrets(&self, number: usize) -> Result<(), RouteError> {
        if self.implicit_tls && self.tls == RouteTls::None {
            return Err(RouteError::Tls { number });
        }
        match &self.login {
            Some(login) if login.in_clear => {
                let is_here = self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
                if is_here { Ok(()) } else { Err(RouteError::ClearLogin { number }) }
            }
            Some(_) if self.tls == RouteTls::None => Err(RouteError::NoWayForLogin { number }),
            _ => Ok(()),
        }
    }
}

/// A pattern, ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Exact(String),
    /// With its leading dot, so that `notexample.com` is no subdomain of `example.com`.
    Below(String),
}

impl Pattern {
    fn parse(text: &str) -> Option<Pattern> {
        if text == "*" {
            return Some(Pattern::Any);
        }
        if let Some(parent) = text.strip_prefix("*.") {
            return pattern_domain(parent).map(|parent| Pattern::Below(format!(".{parent}")));
        }
        pattern_domain(text).map(Pattern::Exact)
    }

    fn matches(&self, domain: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Exact(exact) => exact == domain,
            Pattern::Below(suffix) => domain.len() > suffix.len() && domain.ends_with(suffix.as_str()),
        }
    }
}

/// The domain of a pattern in the form that destinations have; none where it cannot be one.
fn pattern_domain(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text.trim_end_matches('.')).ok()?;
    let plain =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (!ascii.is_empty() && ascii.split('.').all(plain)).then_some(ascii)
}

/// A domain in lower case and A-labels. What IDNA refuses stays as it is: DNS will not know it either.
fn destination_domain(domain: &str) -> String {
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase())
}

/// The mail servers of a domain in the form that destinations have, for mail whose sender wants this of TLS.
fn by_mx(domain: String, wish: TlsWish) -> Destination {
    match wish {
        TlsWish::Waived => Destination::Waiving { domain },
        TlsWish::AsAsked | TlsWish::Required => Destination::Mx { domain },
    }
}

/// The operator's routes, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    routes: Vec<(Pattern, Route)>,
}

impl Routes {
    /// Routes in the order in which they are tried.
    ///
    /// # Errors
    /// [`RouteError`]: what is wrong with which one, in words for the operator.
    pub fn new(routes: Vec<Route>) -> Result<Routes, RouteError> {
        let mut checked = Vec::with_capacity(routes.len());
        for (index, route) in routes.into_iter().enumerate() {
            let number = index + 1;
            let Some(pattern) = Pattern::parse(&route.pattern) else {
                return Err(RouteError::Pattern { number, pattern: route.pattern });
            };
            let host_is_plain = !route.host.is_empty()
                && route.host.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"[]/@,;".contains(c))
                && (!route.host.contains(':') || route.host.parse::<Ipv6Addr>().is_ok());
            if !host_is_plain {
                return Err(RouteError::Host { number, host: route.host });
            }
            if route.port == 0 {
                return Err(RouteError::Port { number });
            }
            route.check_secrets(number)?;
            checked.push((pattern, route));
        }
        Ok(Routes { routes: checked })
    }

    /// Where mail for this domain goes. The domain may be in its Unicode form and in any letter case.
    pub fn destination(&self, domain: &str) -> Destination {
        let domain = destination_domain(domain);
        match self.routes.iter().position(|(pattern, _)| pattern.matches(&domain)) {
            Some(index) => Destination::Route { index },
            None => Destination::Mx { domain },
        }
    }

    /// Where mail for this domain goes whose sender wants this of TLS.
    pub fn destination_wanting(&self, domain: &str, wish: TlsWish) -> Destination {
        match self.destination(domain) {
            Destination::Mx { domain } => by_mx(domain, wish),
            destination => destination,
        }
    }

    /// The destination of the route to this next hop, as [`Routes::site`] names it.
    pub fn named(&self, site: &str) -> Option<Destination> {
        let mut all = (0..self.routes.len()).map(|index| Destination::Route { index });
        all.find(|destination| self.site(destination) == site)
    }

    /// Where mail for this domain goes that was sent another way, and whose sender wants this of TLS.
    pub fn toward(&self, via: &Via, domain: &str, wish: TlsWish) -> Destination {
        match via {
            Via::Usual => self.destination_wanting(domain, wish),
            Via::Mx => by_mx(destination_domain(domain), wish),
            Via::Route(site) => self.named(site).unwrap_or_else(|| self.destination_wanting(domain, wish)),
        }
    }

    /// The route behind a destination; none for MX, and for a place that this list does not have.
    pub fn route(&self, destination: &Destination) -> Option<&Route> {
        match destination {
            Destination::Mx { .. } | Destination::Waiving { .. } => None,
            Destination::Route { index } => self.routes.get(*index).map(|(_, route)| route),
        }
    }

    /// TLS towards a destination: opportunistic where no route says otherwise.
    pub fn tls(&self, destination: &Destination) -> RouteTls {
        self.route(destination).map(Route::tls).unwrap_or_default()
    }

    /// The destination's name for people, logs and metrics: `example.com`, or `relay.example.net:2525`.
    pub fn site(&self, destination: &Destination) -> String {
        match (destination, self.route(destination)) {
            (Destination::Mx { domain } | Destination::Waiving { domain }, _) => domain.clone(),
            (_, Some(route)) if route.host.contains(':') => format!("[{}]:{}", route.host, route.port),
            (_, Some(route)) => format!("{}:{}", route.host, route.port),
            (Destination::Route { index }, None) => format!("route {}", index + 1),
        }
    }

    /// Every route, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|(_, route)| route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smtp::secret::Secret;

    fn route(pattern: &str, host: &str) -> Route {
        Route {
            pattern: pattern.into(),
            host: host.into(),
            port: 2525,
            tls: RouteTls::None,
            implicit_tls: false,
            login: None,
            retry_for: None,
            sign_unpublished: false,
        }
    }

    fn routes(patterns: &[&str]) -> Routes {
        Routes::new(patterns.iter().map(|pattern| route(pattern, "hub.example.net")).collect()).unwrap()
    }

    fn index(destination: Destination) -> Option<usize> {
        match destination {
            Destination::Route { index } => Some(index),
            Destination::Mx { .. } | Destination::Waiving { .. } => None,
        }
    }

    #[test]
    fn without_a_route_the_mx_of_the_domain_is_asked() {
        let mx = |domain: &str| Destination::Mx { domain: domain.into() };
        assert_eq!(routes(&[]).destination("Example.COM"), mx("example.com"));
        assert_eq!(routes(&[]).destination("exämple.com"), mx("xn--exmple-cua.com"));
        assert_eq!(routes(&["other.org"]).destination("example.com"), mx("example.com"));
        let wanting = |routes: Routes, wish| routes.destination_wanting("Example.com", wish);
        for wish in [TlsWish::AsAsked, TlsWish::Required] {
            assert_eq!(wanting(routes(&[]), wish), mx("example.com"));
        }
        let waiving = Destination::Waiving { domain: "example.com".into() };
        assert_eq!(wanting(routes(&[]), TlsWish::Waived), waiving);
        assert_eq!(wanting(routes(&["*"]), TlsWish::Waived), Destination::Route { index: 0 });
    }

    #[test]
    fn the_first_match_wins() {
        let list = routes(&["example.com", "*.example.com", "*"]);
        assert_eq!(index(list.destination("example.com")), Some(0));
        assert_eq!(index(list.destination("a.example.com")), Some(1));
        assert_eq!(index(list.destination("a.b.example.com")), Some(1));
        assert_eq!(index(list.destination("example.org")), Some(2));
        assert_eq!(index(routes(&["*", "example.com"]).destination("example.com")), Some(0));
    }

    #[test]
    fn a_neighbour_is_no_subdomain() {
        let list = routes(&["*.example.com"]);
        assert_eq!(index(list.destination("notexample.com")), None);
        assert_eq!(index(list.destination("example.com")), None);
        assert_eq!(index(list.destination("x.example.com.evil.org")), None);
    }

    #[test]
    fn a_pattern_may_be_unicode_and_of_any_case() {
        let list = routes(&["*.Exämple.COM"]);
        assert_eq!(index(list.destination("mail.xn--exmple-cua.com")), Some(0));
        assert_eq!(index(list.destination("MAIL.exämple.com")), Some(0));
    }

    #[test]
    fn faults_name_the_route() {
        let fault = |pattern: &str, host: &str, port: u16| {
            Routes::new(vec![route("*", "ok.example"), Route { port, ..route(pattern, host) }]).unwrap_err()
        };
        assert!(matches!(fault("", "h", 25), RouteError::Pattern { number: 2, .. }));
        assert!(matches!(fault("*example.com", "h", 25), RouteError::Pattern { number: 2, .. }));
        assert!(matches!(fault("a..b", "h", 25), RouteError::Pattern { number: 2, .. }));
        assert!(matches!(fault("*.", "h", 25), RouteError::Pattern { number: 2, .. }));
        assert!(matches!(fault("*", "", 25), RouteError::Host { number: 2, .. }));
        assert!(matches!(fault("*", "host:25", 25), RouteError::Host { number: 2, .. }));
        assert!(matches!(fault("*", "[::1]", 25), RouteError::Host { number: 2, .. }));
        assert_eq!(fault("*", "h", 0), RouteError::Port { number: 2 });
    }

    #[test]
    fn a_password_has_a_way_under_tls_or_stays_on_this_machine() {
        let login = |in_clear| Some(Login { username: "u".into(), password: Secret::new(b"p".to_vec()), in_clear });
        let tried = |host: &str, tls, implicit_tls, login| {
            Routes::new(vec![Route { tls, implicit_tls, login, ..route("*", host) }]).map(|_| ())
        };
        for tls in [RouteTls::Opportunistic, RouteTls::Encrypted, RouteTls::Required] {
            assert_eq!(tried("hub.example.net", tls, false, login(false)), Ok(()));
            assert_eq!(tried("hub.example.net", tls, true, login(false)), Ok(()));
        }
        let none = RouteTls::None;
        assert_eq!(tried("hub.example.net", none, false, login(false)), Err(RouteError::NoWayForLogin { number: 1 }));
        assert_eq!(tried("hub.example.net", none, true, None), Err(RouteError::Tls { number: 1 }));
        for host in ["hub.example.net", "localhost", "192.0.2.1"] {
            assert_eq!(tried(host, none, false, login(true)), Err(RouteError::ClearLogin { number: 1 }), "{host}");
        }
        assert_eq!(tried("127.0.0.1", none, false, login(true)), Ok(()));
        let here = Route { login: login(true), ..route("*", "::1") };
        let in_clear = |address: &str| here.login_at(address.parse().unwrap()).unwrap().in_clear;
        assert!(in_clear("::1") && in_clear("127.0.0.1") && !in_clear("192.0.2.1"));
    }

    #[test]
    fn what_begins_with_tls_never_goes_on_without() {
        let begun = |tls| Route { tls, implicit_tls: true, ..route("*", "hub.example.net") }.tls();
        assert_eq!(begun(RouteTls::Opportunistic), RouteTls::Encrypted);
        assert_eq!(begun(RouteTls::Required), RouteTls::Required);
    }

    #[test]
    fn what_is_sent_another_way_goes_there_as_long_as_it_is_there() {
        let list =
            Routes::new(vec![route("a.example", "one.example.net"), route("b.example", "two.example.net")]).unwrap();
        let two = Via::Route("two.example.net:2525".into());
        let toward = |via: &Via, domain: &str| list.toward(via, domain, TlsWish::AsAsked);
        assert_eq!(index(toward(&two, "a.example")), Some(1));
        assert_eq!(index(toward(&Via::Route("gone:25".into()), "a.example")), Some(0));
        assert_eq!(index(toward(&Via::Usual, "a.example")), Some(0));
        assert_eq!(toward(&Via::Mx, "A.example"), Destination::Mx { domain: "a.example".into() });
        let waiving = |domain: &str| Destination::Waiving { domain: domain.into() };
        assert_eq!(list.toward(&Via::Mx, "A.example", TlsWish::Waived), waiving("a.example"));
        assert_eq!(list.toward(&Via::Usual, "c.example", TlsWish::Waived), waiving("c.example"));
        assert_eq!(list.toward(&Via::Route("gone:25".into()), "c.example", TlsWish::Waived), waiving("c.example"));
    }

    #[test]
    fn sites_have_names() {
        let list = Routes::new(vec![route("a.example", "hub.example.net"), route("b.example", "::1")]).unwrap();
        assert_eq!(list.site(&list.destination("a.example")), "hub.example.net:2525");
        assert_eq!(list.site(&list.destination("b.example")), "[::1]:2525");
        assert_eq!(list.site(&list.destination("c.example")), "c.example");
    }
}
