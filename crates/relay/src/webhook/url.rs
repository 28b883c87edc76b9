//! Where a webhook is: an address that we dial because a customer named it, so it is read strictly.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::reachable::{Forbidden, forbidden};
use crate::service::domain_name;

/// The longest address, in octets.
const OCTETS_MAX: usize = 2_000;

/// The parts of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether TLS is spoken.
    pub is_tls: bool,
    /// The name to resolve, lower case, in A-labels; none where the address says where to dial.
    pub name: Option<String>,
    /// Where to dial, where it says.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// What is asked for there: path and query.
    pub path: String,
}

/// Why a text is not where a webhook can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is malformed; the text says how.
    #[error("it is no address of a receiver: {0}")]
    Malformed(&'static str),
    /// It begins with http, which needs the operator's allowance.
    #[error("it has to begin with https://")]
    Clear,
    /// It names an address that must not be dialled.
    #[error("{0} is {1}")]
    Forbidden(IpAddr, Forbidden),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl Target {
    /// Host and port as the field Host says them (RFC 9110 §7.2): the port is left out where it is the usual one.
    pub fn authority(&self) -> String {
        let usual = if self.is_tls { 443 } else { 80 };
        let host = self.host();
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// The host: a name, or an address (IPv6 in brackets).
    pub fn host(&self) -> String {
        match (&self.name, self.address) {
            (Some(name), _) => name.clone(),
            (None, Some(IpAddr::V6(address))) => format!("[{address}]"),
            (None, address) => address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// Reads where a webhook is. With `allow_private`, the operator's allowance, also hosts of an intranet and without TLS.
///
/// # Errors
/// What is wrong with it; nothing is dialled then.
pub fn target(given: &str, allow_private: bool) -> Result<Target, TargetError> {
    use TargetError::Malformed;
    let given = given.trim();
    if given.len() > OCTETS_MAX {
        return Err(Malformed("it is longer than 2000 octets"));
    }
    if given.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(Malformed("it has blanks or control characters"));
    }
    let (scheme, rest) = given.split_once("://").ok_or(Malformed("it has to begin with https://"))?;
    let is_tls = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" if allow_private => false,
        "http" => return Err(TargetError::Clear),
        _ => return Err(Malformed("it has to begin with https://")),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if path.contains('#') {
        return Err(Malformed("it has a part behind a #, which is never sent"));
    }
    if !path.is_ascii() {
        return Err(Malformed("its path has characters that have to be percent-encoded"));
    }
    if authority.contains('@') {
        return Err(Malformed("it has a username or password; the signature says who calls"));
    }
    let (host, port) = host_and_port(authority)?;
    let port = port.unwrap_or(if is_tls { 443 } else { 80 });
    let (name, address) = host_of(host, allow_private)?;
    if let Some((address, why)) = address.and_then(|address| Some((address, forbidden(address, &[])?)))
        && !allow_private
    {
        return Err(TargetError::Forbidden(address, why));
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(Target { is_tls, name, address, port, path })
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), TargetError> {
    let wrong = TargetError::Malformed("its port is no number from 1 to 65535");
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, "")) => (authority, None),
        Some((inside, rest)) => (&authority[..inside.len() + 2], Some(rest.strip_prefix(':').ok_or(wrong.clone())?)),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let Some(port) = port else { return Ok((host, None)) };
    let is_number = !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
    let port = port.parse().ok().filter(|port| is_number && *port != 0);
    port.map(|port| (host, Some(port))).ok_or(wrong)
}

/// A name, or an address. Numbers that some take for an address, as `0x7f.1` or `2130706433`, are neither.
fn host_of(host: &str, allow_private: bool) -> Result<(Option<String>, Option<IpAddr>), TargetError> {
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = inside.parse::<Ipv6Addr>();
        return Ok((None, Some(address.map_err(|_| TargetError::Malformed("[…] holds no IPv6 address"))?.into())));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok((None, Some(address.into())));
    }
    let is_label = |host: &str| {
        let ends_well = !host.starts_with('-') && !host.ends_with('-');
        let has_letter = host.starts_with(|first: char| first.is_ascii_alphabetic());
        ends_well && has_letter && host.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    if allow_private && host.len() <= 63 && is_label(host) {
        return Ok((Some(host.to_ascii_lowercase()), None));
    }
    match domain_name(host) {
        Ok(name) => Ok((Some(name), None)),
        Err(_) => Err(TargetError::Malformed("its host is neither a name of the internet nor an address")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_form() {
        for (given, kept) in [
            ("https://Example.COM/Hook?a=b&c=%20", "https://example.com/Hook?a=b&c=%20"),
            ("HTTPS://example.com", "https://example.com/"),
            (" https://example.com:443/x ", "https://example.com/x"),
            ("https://example.com:8443?x", "https://example.com:8443/?x"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            ("https://[2a00:1450::1]:8443/", "https://[2a00:1450::1]:8443/"),
        ] {
            let read = target(given, false).unwrap();
            assert_eq!(read.to_string(), kept);
            assert_eq!(target(kept, false).unwrap(), read);
        }
    }

    #[test]
    fn what_is_no_receiver_is_refused() {
        for given in [
            "",
            "example.com",
            "ftp://example.com/",
            "//example.com/",
            "https://",
            "https:///x",
            "https://user@example.com/",
            "https://user:password@example.com/",
            "https://example.com@127.0.0.1/",
            "https://example.com/#x",
            "https://exa mple.com/",
            "https://example.com/a b",
            "https://example.com/a\r\nHost: x",
            "https://example.com/é",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://example.com:+80/",
            "https://example.com:/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[fe80::1%25eth0]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://localhost/",
            "https://intranet/",
            "https://-a.example/",
        ] {
            assert!(
                matches!(target(given, false), Err(TargetError::Malformed(_))),
                "{given}: {:?}",
                target(given, false)
            );
        }
        assert!(target(&format!("https://example.com/{}", "a".repeat(2_000)), false).is_err());
    }

    #[test]
    fn private_addresses_and_clear_text_need_the_operators_allowance() {
        assert_eq!(target("http://example.com/", false), Err(TargetError::Clear));
        for given in [
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[fe80::1]/",
            "https://0.0.0.0/",
            "https://224.0.0.1/",
        ] {
            assert!(matches!(target(given, false), Err(TargetError::Forbidden(..))), "{given}");
            assert!(target(given, true).is_ok(), "{given}");
        }
        for given in ["http://127.0.0.1:8080/hook", "http://localhost:8080/", "https://intranet/", "http://hub-1/x"] {
            assert_eq!(target(given, true).unwrap().to_string(), given);
        }
        for given in ["https://2130706433/", "https://127.1/", "http://user@localhost/", "ftp://localhost/"] {
            assert!(target(given, true).is_err(), "{given}");
        }
    }
}
