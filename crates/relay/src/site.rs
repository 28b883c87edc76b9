//! What counts as one place on the network: an IPv4 address, or the /64 of an IPv6 address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Where clients come from, as limits and blocks count them. A /64 is what one customer gets at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(IpAddr);

impl Site {
    /// The site of an address; an IPv4 address in IPv6 form is that IPv4 address.
    pub fn of(address: IpAddr) -> Site {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Site(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            v4 => Site(v4),
        }
    }

    /// The address, or the first of the /64.
    pub fn address(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => v4.fmt(f),
            IpAddr::V6(v6) => write!(f, "{v6}/64"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn site(text: &str) -> Site {
        Site::of(text.parse().unwrap())
    }

    #[test]
    fn a_64_is_one_site() {
        assert_eq!(site("2001:db8:1:2::1"), site("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(site("2001:db8:1:2::1"), site("2001:db8:1:3::1"));
        assert_eq!(site("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn an_ipv4_address_is_one_site_in_either_form() {
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
        assert_ne!(site("192.0.2.2"), site("192.0.2.1"));
    }
}
