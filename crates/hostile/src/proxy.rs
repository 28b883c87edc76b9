//! Any octets in front of a connection from a load balancer: nobody is taken for somebody else, nothing behind is read.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use net::proxy::{self, ProxyError};
use tokio::io::AsyncReadExt;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Reads the octets behind the first as a header, whole and cut in two at the first.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((cut, octets)) = data.split_first() else { return };
    let (whole, used) = read(octets, octets.len());
    let (parts, _) = read(octets, usize::from(*cut).min(octets.len()));
    assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
    let Ok(found) = whole else { return };
    let head = &octets[..used];
    if let Some(block) = head.strip_prefix(SIGNATURE) {
        let [_, family, high, low, addresses @ ..] = block else { panic!("{head:?} is no header") };
        assert_eq!(addresses.len(), usize::from(u16::from_be_bytes([*high, *low])));
        let named = match (family, addresses) {
            (0x11, [a, b, c, d, ..]) => Some(IpAddr::from(Ipv4Addr::new(*a, *b, *c, *d))),
            (0x21, _) => addresses.first_chunk::<16>().map(|six| IpAddr::from(Ipv6Addr::from(*six))),
            _ => None,
        };
        assert!(found.is_none() && block[0] == 0x20 || found == named && block[0] == 0x21, "{found:?} of {head:?}");
        return;
    }
    assert!(head.ends_with(b"\r\n") && head.len() <= 107, "{head:?}");
    assert_eq!(head.iter().filter(|octet| **octet == b'\n').count(), 1);
    let words: Vec<String> =
        head.split(|octet| *octet == b' ').map(|word| String::from_utf8_lossy(word).into()).collect();
    match found {
        None => assert_eq!(words[1].trim_end(), "UNKNOWN"),
        Some(address) => {
            let family = if address.is_ipv4() { "TCP4" } else { "TCP6" };
            assert_eq!((words.len(), words[0].as_str(), words[1].as_str()), (6, "PROXY", family));
            assert_eq!(words[2].parse(), Ok(address));
        }
    }
}

/// What a header says that comes in two pieces, and how many octets were taken.
fn read(octets: &[u8], cut: usize) -> (Result<Option<IpAddr>, ProxyError>, usize) {
    let (mut first, mut second) = octets.split_at(cut);
    let found = {
        let mut stream = (&mut first).chain(&mut second);
        let mut reading = pin!(proxy::read(&mut stream));
        // octets in memory are always there
        match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => found,
            Poll::Pending => panic!("it waits for octets that are there"),
        }
    };
    (found, octets.len() - first.len() - second.len())
}
