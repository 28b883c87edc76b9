//! The PROXY protocol, versions 1 and 2: who really called, as a trusted load balancer says.
//!
//! The header is read octet-exactly, because what follows it may be a TLS handshake.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// What begins a header of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header of version 1, line end included.
const LINE_OCTETS_MAX: usize = 107;
/// The longest addresses and extensions of version 2 that are read.
const BLOCK_OCTETS_MAX: usize = 2_048;

/// Why a connection from a load balancer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It broke, or closed before its header was whole.
    #[error("the connection ended inside the PROXY header: {0}")]
    Io(#[from] io::Error),
    /// It begins with something else.
    #[error("there is no PROXY header")]
    Missing,
    /// A header that breaks the protocol's rules.
    #[error("the PROXY header is malformed: {0}")]
    Malformed(&'static str),
}

/// Reads the header that a load balancer sends first; the caller sets the time for it.
///
/// The client's address, or none where the load balancer speaks for itself (`LOCAL`, `UNKNOWN`: its
/// health checks) and the socket's own address is the true one.
///
/// # Errors
/// The connection cannot be used: whoever it is must not be taken for somebody else.
pub async fn read<R: AsyncRead + Unpin>(stream: &mut R) -> Result<Option<IpAddr>, ProxyError> {
    // the shortest header of either version is longer than the signature
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == *SIGNATURE {
        let mut fixed = [0; 4];
        stream.read_exact(&mut fixed).await?;
        let [version, family, high, low] = fixed;
        let octets = usize::from(u16::from_be_bytes([high, low]));
        if octets > BLOCK_OCTETS_MAX {
            return Err(ProxyError::Malformed("it is too long"));
        }
        let mut block = vec![0; octets];
        stream.read_exact(&mut block).await?;
        return second(version, family, &block);
    }
    if !start.starts_with(b"PROXY ") {
        return Err(ProxyError::Missing);
    }
    let mut line = start.to_vec();
    while line.last() != Some(&b'\n') {
        if line.len() == LINE_OCTETS_MAX {
            return Err(ProxyError::Malformed("the line is too long"));
        }
        // octet by octet: nothing behind the line end may be taken from the socket
        line.push(stream.read_u8().await?);
    }
    first(&line)
}

fn first(line: &[u8]) -> Result<Option<IpAddr>, ProxyError> {
    let text = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
    let text = text.ok_or(ProxyError::Malformed("it is not a line of text"))?;
    let mut words = text.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(None);
    }
    let [source, target, source_port, target_port] = [(); 4].map(|()| words.next().unwrap_or_default());
    let address = match family {
        Some("TCP4") => pair::<Ipv4Addr>(source, target).map(IpAddr::V4),
        Some("TCP6") => pair::<Ipv6Addr>(source, target).map(IpAddr::V6),
        _ => return Err(ProxyError::Malformed("the family is unknown")),
    };
    let ports = [source_port, target_port].iter().all(|port| {
        let canonical = *port == "0" || !port.starts_with(['0', '+']);
        canonical && port.parse::<u16>().is_ok()
    });
    match address {
        Some(address) if ports && words.next().is_none() => Ok(Some(address)),
        _ => Err(ProxyError::Malformed("the addresses or ports are not four")),
    }
}

fn pair<A: std::str::FromStr>(source: &str, target: &str) -> Option<A> {
    target.parse::<A>().ok()?;
    source.parse().ok()
}

fn second(version: u8, family: u8, block: &[u8]) -> Result<Option<IpAddr>, ProxyError> {
    match version {
        0x20 => return Ok(None),
        0x21 => {}
        _ => return Err(ProxyError::Malformed("the version or command is unknown")),
    }
    let short = ProxyError::Malformed("the addresses are cut short");
    match family {
        0x11 => {
            let [a, b, c, d] = *block.first_chunk::<12>().and_then(|all| all.first_chunk()).ok_or(short)?;
            Ok(Some(Ipv4Addr::new(a, b, c, d).into()))
        }
        0x21 => {
            let source: &[u8; 16] = block.first_chunk::<36>().and_then(|all| all.first_chunk()).ok_or(short)?;
            Ok(Some(Ipv6Addr::from(*source).into()))
        }
        // whatever it is, it says nothing about an internet address
        _ => Err(ProxyError::Malformed("the family is not TCP over IPv4 or IPv6")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn parse(octets: &[u8]) -> Result<(Option<IpAddr>, usize), ProxyError> {
        let mut rest = octets;
        read(&mut rest).await.map(|address| (address, octets.len() - rest.len()))
    }

    fn binary(version: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version, family], &length, block].concat()
    }

    #[tokio::test]
    async fn version_1_names_the_client_and_takes_nothing_behind_it() {
        for (line, address) in [
            ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 587\r\n", Some("192.0.2.1")),
            ("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", Some("2001:db8::1")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff:f...f:ffff anything 0 0\r\n", None),
        ] {
            let stream = format!("{line}EHLO x\r\n");
            let expected = (address.map(|address| address.parse().unwrap()), line.len());
            assert_eq!(parse(stream.as_bytes()).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn version_1_malformed_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(107));
        for line in [
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n",
            "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 99999 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 +1 1\r\n",
            "PROXY TCP4  192.0.2.1 198.51.100.1 1 1\r\n",
            "PROXY UDP4 192.0.2.1 198.51.100.1 1 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 1 1\n",
            &long,
        ] {
            assert!(matches!(parse(line.as_bytes()).await, Err(ProxyError::Malformed(_))), "{line}");
        }
        assert!(matches!(parse(b"EHLO client.example\r\n").await, Err(ProxyError::Missing)));
        assert!(matches!(parse(b"PROXY TCP4 192.0.2.1").await, Err(ProxyError::Io(_))));
    }

    #[tokio::test]
    async fn version_2_names_the_client_and_skips_what_else_it_says() {
        let four = [192, 0, 2, 1, 198, 51, 100, 1, 0, 1, 2, 75];
        let mut six = [0; 36];
        six[..16].copy_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        let extended = [&four[..], &[0x04, 0, 1, 0]].concat();
        for (header, address) in [
            (binary(0x21, 0x11, &four), Some("192.0.2.1")),
            (binary(0x21, 0x11, &extended), Some("192.0.2.1")),
            (binary(0x21, 0x21, &six), Some("2001:db8::1")),
            (binary(0x20, 0x00, &[]), None),
            (binary(0x20, 0x11, &four), None),
        ] {
            let stream = [&header[..], b"\x16\x03\x01"].concat();
            let expected = (address.map(|address| address.parse().unwrap()), header.len());
            assert_eq!(parse(&stream).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn version_2_malformed_is_refused() {
        for header in [
            binary(0x21, 0x11, &[0; 11]),
            binary(0x21, 0x21, &[0; 35]),
            binary(0x21, 0x12, &[0; 12]),
            binary(0x21, 0x31, &[0; 216]),
            binary(0x11, 0x11, &[0; 12]),
            binary(0x22, 0x11, &[0; 12]),
            binary(0x21, 0x11, &[0; 2_049]),
        ] {
            assert!(matches!(parse(&header).await, Err(ProxyError::Malformed(_))), "{header:?}");
        }
        assert!(matches!(parse(&binary(0x21, 0x11, &[0; 12])[..20]).await, Err(ProxyError::Io(_))));
    }
}
