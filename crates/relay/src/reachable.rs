//! Addresses that are not dialled where DNS, or a customer, named them (product: secrets and personal data).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// 127.0.0.0/8, ::1.
    Loopback,
    /// RFC 1918, fc00::/7, fec0::/10.
    Private,
    /// 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// 224.0.0.0/4, ff00::/8, and the broadcast address.
    Multicast,
    /// 0.0.0.0/8, ::.
    Unspecified,
    /// 100.64.0.0/10 (RFC 6598).
    SharedSpace,
    /// Documentation, benchmarks, protocol assignments and what is reserved (RFC 6890).
    Reserved,
    /// We listen on it.
    Own,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forbidden::Loopback => "a loopback address",
            Forbidden::Private => "a private address",
            Forbidden::LinkLocal => "a link-local address",
            Forbidden::Multicast => "a multicast address",
            Forbidden::Unspecified => "no address of a host",
            Forbidden::SharedSpace => "an address inside a provider's network",
            Forbidden::Reserved => "a reserved address",
            Forbidden::Own => "this relay's own address",
        })
    }
}

/// Why `address` must not be dialled when DNS or a customer named it; none where it may be. `own`: what we listen on.
pub fn forbidden(address: IpAddr, own: &[IpAddr]) -> Option<Forbidden> {
    let address = address.to_canonical();
    if own.iter().any(|ours| ours.to_canonical() == address) {
        return Some(Forbidden::Own);
    }
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Forbidden> {
    match address.octets() {
        [127, ..] => Some(Forbidden::Loopback),
        [0, ..] => Some(Forbidden::Unspecified),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Forbidden::Private),
        [169, 254, ..] => Some(Forbidden::LinkLocal),
        [100, 64..=127, ..] => Some(Forbidden::SharedSpace),
        [224..=239, ..] | [255, 255, 255, 255] => Some(Forbidden::Multicast),
        [192, 0, 0, _]
        | [192, 0, 2, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..] => Some(Forbidden::Reserved),
        _ => None,
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Forbidden> {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        forbidden_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Forbidden::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Forbidden::Loopback),
        [0xff00..=0xffff, ..] => Some(Forbidden::Multicast),
        [0xfe80..=0xfebf, ..] => Some(Forbidden::LinkLocal),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Some(Forbidden::Private),
        // an IPv4 address in IPv6 clothes is judged by what it leads to: NAT64 (RFC 6052), 6to4 (RFC 3056)
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] => Some(Forbidden::Private),
        // IPv4-compatible, discard-only, Teredo and the other protocol assignments, documentation
        [0, ..] | [0x100, 0, 0, 0, ..] | [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Some(Forbidden::Reserved)
        }
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Forbidden::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Option<Forbidden> {
        forbidden(text.parse().unwrap(), &["198.41.0.4".parse().unwrap(), "2a00::25".parse().unwrap()])
    }

    #[test]
    fn special_addresses_are_not_dialled() {
        use Forbidden::*;
        for (text, why) in [
            ("127.0.0.1", Loopback),
            ("127.255.0.9", Loopback),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("::", Unspecified),
            ("10.1.2.3", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("::ffff:192.168.1.1", Private),
            ("fd00::1", Private),
            ("fec0::1", Private),
            ("169.254.169.254", LinkLocal),
            ("fe80::1", LinkLocal),
            ("100.64.0.1", SharedSpace),
            ("100.127.255.255", SharedSpace),
            ("224.0.0.1", Multicast),
            ("255.255.255.255", Multicast),
            ("ff02::1", Multicast),
            ("192.0.2.1", Reserved),
            ("198.51.100.7", Reserved),
            ("203.0.113.7", Reserved),
            ("198.18.0.1", Reserved),
            ("240.0.0.1", Reserved),
            ("2001:db8::1", Reserved),
            ("::127.0.0.1", Reserved),
            ("64:ff9b::a00:1", Private),
            ("2002:7f00:1::", Loopback),
            ("4000::1", Reserved),
            ("198.41.0.4", Own),
            ("::ffff:198.41.0.4", Own),
            ("2a00::25", Own),
        ] {
            assert_eq!(judge(text), Some(why), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are() {
        for text in
            ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2a00:1450::1", "64:ff9b::808:808"]
        {
            assert_eq!(judge(text), None, "{text}");
        }
    }
}
