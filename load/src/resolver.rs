//! A name server for what waits in W9: each domain has a mail server of its own, at an address of its own on loopback, where
//! nobody listens. What is tried is so refused at the first packet, by as many sites as there are domains.

use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;

/// How long it waits for a question before it looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(250);
/// Octets of a message's head (RFC 1035 §4.1.1).
const HEAD: usize = 12;
/// Octets of a question's type and class.
const KIND: usize = 4;
/// Types of records (RFC 1035 §3.2.2).
const A: [u8; 2] = [0, 1];
const MX: [u8; 2] = [0, 15];
/// Points to the name in the question (RFC 1035 §4.1.4).
const NAME_ASKED: [u8; 2] = [0xC0, HEAD as u8];
const INTERNET: [u8; 2] = [0, 1];
/// Seconds that an answer is good for: longer than a run takes.
const GOOD_FOR: [u8; 4] = 86_400_u32.to_be_bytes();

/// Stopped when it is dropped.
pub(crate) struct Resolver {
    pub(crate) address: SocketAddr,
    stops: Arc<AtomicBool>,
}

impl Resolver {
    /// Refuses to run where something takes mail at the addresses that it gives.
    pub(crate) fn start() -> anyhow::Result<Resolver> {
        let mail = SocketAddr::from((address_of(b"domain0"), 25));
        ensure!(
            TcpStream::connect(mail).is_err(),
            "something listens on port 25 of {}: what is tried would go to it",
            mail.ip()
        );
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(LOOK))?;
        let resolver = Resolver { address: socket.local_addr()?, stops: Arc::default() };
        let stops = Arc::clone(&resolver.stops);
        std::thread::spawn(move || serve(&socket, &stops));
        Ok(resolver)
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Relaxed);
    }
}

fn serve(socket: &UdpSocket, stops: &AtomicBool) {
    let mut question = [0; 512];
    while !stops.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut question) else { continue };
        if let Some(reply) = reply(&question[..length]) {
            // whoever does not hear it asks again
            let _ = socket.send_to(&reply, from);
        }
    }
}

/// What is said to a question: `mx` below the name for its mail server, an address for that, nothing for all else.
fn reply(question: &[u8]) -> Option<Vec<u8>> {
    let labels = labels(question)?;
    let asked = HEAD + labels.iter().map(|label| 1 + label.len()).sum::<usize>() + 1;
    let kind = question.get(asked..asked + 2)?;
    let is_server = labels.first() == Some(&&b"mx"[..]);
    let record = match (is_server, kind) {
        (false, kind) if kind == MX && labels.len() == 2 => Some((MX, [&[0, 10, 2][..], b"mx", &NAME_ASKED].concat())),
        (true, kind) if kind == A => Some((A, address_of(labels.get(1)?).octets().to_vec())),
        _ => None,
    };
    let answers = u8::from(record.is_some());
    // an answer, with authority, recursion as wished; one question
    let mut reply =
        [&question[..2], &[0b1000_0100 | question[2] & 1, 0b1000_0000, 0, 1, 0, answers, 0, 0, 0, 0]].concat();
    reply.extend_from_slice(question.get(HEAD..asked + KIND)?);
    if let Some((kind, data)) = record {
        let length = u16::try_from(data.len()).ok()?.to_be_bytes();
        reply.extend([&NAME_ASKED[..], &kind, &INTERNET, &GOOD_FOR, &length, &data].concat());
    }
    Some(reply)
}

/// The labels of the name in a question.
fn labels(question: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut labels, mut at) = (Vec::new(), HEAD);
    loop {
        let length = usize::from(*question.get(at)?);
        if length == 0 {
            return Some(labels);
        }
        labels.push(question.get(at + 1..at + 1 + length)?);
        at += 1 + length;
    }
}

/// An address on loopback for a domain by its first label: the number in it, from 127.1.0.0 on.
fn address_of(label: &[u8]) -> Ipv4Addr {
    let digits = label.iter().filter(|octet| octet.is_ascii_digit());
    let number = digits.fold(0_u32, |number, digit| number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0')));
    let [_, high, middle, low] = (number % 0xF0_0000).to_be_bytes();
    Ipv4Addr::new(127, high + 1, middle, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &[&str], kind: [u8; 2]) -> Vec<u8> {
        let mut octets = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name {
            octets.push(label.len() as u8);
            octets.extend_from_slice(label.as_bytes());
        }
        octets.push(0);
        octets.extend([kind, INTERNET].concat());
        octets
    }

    #[test]
    fn each_domain_has_a_mail_server_at_an_address_of_its_own() {
        let of_domain = reply(&question(&["domain70000", "example"], MX)).unwrap();
        assert_eq!((&of_domain[..2], of_domain[7]), (&[7, 9][..], 1));
        assert!(of_domain.ends_with(&[0, 7, 0, 10, 2, b'm', b'x', 0xC0, 12]));
        let of_server = reply(&question(&["mx", "domain70000", "example"], A)).unwrap();
        assert!(of_server.ends_with(&[0, 4, 127, 2, 17, 112]));
        for (name, kind) in
            [(&["domain7", "example"][..], A), (&["mx", "domain7", "example"], MX), (&["domain7"], [0, 16])]
        {
            let reply = reply(&question(name, kind)).unwrap();
            assert_eq!((reply[3] & 0xF, reply[7]), (0, 0), "{name:?}: it exists and has none");
        }
        assert_eq!(reply(&[7, 9, 1]), None);
    }
}
