//! Who asks through a proxy, and how they came to it: believed of proxies that the operator names, and of nobody else.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` alone are read. Most proxies write these and hand on what a client sent as
//! `Forwarded` (RFC 7239): whoever believed both would believe clients.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::Peer;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How a request came to us, or to the first proxy that we believe; in the extensions of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear on loopback, and nobody that we believe says how it came there.
    #[default]
    Untold,
    /// A trusted proxy says: in the clear.
    Http,
    /// Under TLS: it came to us so, or a trusted proxy says that.
    Https,
}

/// The proxies whose word counts; by default nobody. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    /// Those in these networks.
    pub fn new(networks: &[IpNet]) -> Proxies {
        Proxies(Arc::from(networks))
    }

    /// Whether this is one of them.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks, and how they came: the last address on the way that is no proxy of ours, as the proxies behind it tell.
    pub(super) fn client(&self, peer: Peer, headers: &HeaderMap) -> (Peer, Scheme) {
        if !self.trusts(peer.0.ip()) {
            return (peer, Scheme::Untold);
        }
        let lines = headers.get_all(FOR).iter().rev();
        // a line that is no text ends what can be believed, as a hop that is no address does
        let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        let mut client = peer;
        for hop in hops {
            if !self.trusts(client.0.ip()) {
                break;
            }
            match address(hop) {
                // the port is not told by all
                Some(address) => client = Peer(SocketAddr::new(address, 0)),
                None => break,
            }
        }
        (client, scheme(headers))
    }
}

/// What the proxy before us said last.
fn scheme(headers: &HeaderMap) -> Scheme {
    let last = headers.get_all(PROTO).iter().next_back().and_then(|line| line.to_str().ok());
    match last.and_then(|line| line.rsplit(',').next()).map(str::trim) {
        Some(told) if told.eq_ignore_ascii_case("https") => Scheme::Https,
        Some(told) if told.eq_ignore_ascii_case("http") => Scheme::Http,
        _ => Scheme::Untold,
    }
}

/// An address as proxies write it: alone, with a port, an IPv6 address in brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let alone = bare.parse::<IpAddr>();
    let found = alone.or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    found.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// Who asks where `10.0.0.0/8` and `2001:db8::/32` are ours.
    fn client(peer: &str, fields: &[(HeaderName, &str)]) -> (String, Scheme) {
        let proxies = Proxies::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
        told(&proxies, peer, fields)
    }

    fn told(proxies: &Proxies, peer: &str, fields: &[(HeaderName, &str)]) -> (String, Scheme) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let (client, scheme) = proxies.client(Peer(SocketAddr::new(peer.parse().unwrap(), 4000)), &headers);
        (client.0.ip().to_string(), scheme)
    }

    fn from(peer: &str, hops: &[&str]) -> String {
        client(peer, &hops.iter().map(|hop| (FOR, *hop)).collect::<Vec<_>>()).0
    }

    #[test]
    fn nobody_else_is_believed() {
        let spoofed = [(FOR, "198.51.100.1"), (PROTO, "https")];
        assert_eq!(client("192.0.2.1", &spoofed), ("192.0.2.1".to_owned(), Scheme::Untold));
        let none = Proxies::default();
        for peer in ["127.0.0.1", "10.0.0.1", "::1"] {
            assert_eq!(told(&none, peer, &spoofed), (peer.to_owned(), Scheme::Untold), "off unless configured");
        }
    }

    #[test]
    fn what_a_client_says_of_itself_is_beyond_what_is_believed() {
        // the proxy wrote the last; the client the others
        assert_eq!(from("10.0.0.1", &["127.0.0.1, 10.9.9.9, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(from("10.0.0.1", &["127.0.0.1", "203.0.113.7"]), "203.0.113.7", "in a line of its own");
        assert_eq!(from("10.0.0.1", &["10.9.9.9, 203.0.113.7, 192.0.2.99"]), "192.0.2.99");
    }

    #[test]
    fn several_proxies_lead_to_the_last_that_is_not_ours() {
        assert_eq!(from("10.0.0.1", &["198.51.100.1, 203.0.113.7, 10.0.0.3", "10.0.0.2"]), "203.0.113.7");
        assert_eq!(from("10.0.0.1", &["2001:db9::7, 2001:db8::2"]), "2001:db9::7");
        assert_eq!(from("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "the first, where all are ours");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn an_address_is_read_however_it_is_written() {
        for hop in
            ["203.0.113.7", " 203.0.113.7:4711 ", "::ffff:203.0.113.7", "\"203.0.113.7\"", "[::ffff:203.0.113.7]:1"]
        {
            assert_eq!(from("::ffff:10.0.0.1", &[hop]), "203.0.113.7", "{hop}");
        }
        for hop in ["2001:db9::7", "[2001:db9::7]", "[2001:db9::7]:443", "\"[2001:db9::7]:443\""] {
            assert_eq!(from("10.0.0.1", &[hop]), "2001:db9::7", "{hop}");
        }
    }

    #[test]
    fn garbage_ends_what_is_believed() {
        for hop in ["", "unknown", "_hidden", "999.1.1.1", "203.0.113.7;x", "caf\u{e9}", "203.0.113.7:99999", "[::1"] {
            assert_eq!(from("10.0.0.1", &[hop]), "10.0.0.1", "{hop}");
            let between = format!("203.0.113.7, {hop}");
            assert_eq!(from("10.0.0.1", &[&between, "10.0.0.2"]), "10.0.0.2", "{hop}");
        }
        let many = vec!["10.0.0.2"; 10_000].join(",");
        assert_eq!(from("10.0.0.1", &[&many]), "10.0.0.2");
    }

    #[test]
    fn the_scheme_is_what_the_proxy_before_us_said() {
        let told = |lines: &[&str]| client("10.0.0.1", &lines.iter().map(|line| (PROTO, *line)).collect::<Vec<_>>()).1;
        assert_eq!(told(&["https"]), Scheme::Https);
        assert_eq!(told(&["HTTP"]), Scheme::Http);
        assert_eq!(told(&["https, http"]), Scheme::Http);
        assert_eq!(told(&["http", "https"]), Scheme::Https);
        for line in ["", "ftp", "https;x", "caf\u{e9}"] {
            assert_eq!(told(&[line]), Scheme::Untold, "{line}");
        }
        assert_eq!(told(&[]), Scheme::Untold);
    }
}
