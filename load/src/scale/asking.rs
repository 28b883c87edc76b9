//! Requests over HTTP, each on a connection of its own, as far as they are needed here.

use anyhow::{Context, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer, and how long it took from the dial to its last octet.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) octets: usize,
    pub(super) time: Duration,
}

/// Asks for something; `fields` are lines of the head.
pub(super) fn ask(server: SocketAddr, method: &str, path: &str, fields: &str, body: &str) -> anyhow::Result<Answer> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).with_context(|| format!("{method} {path}"))?;
    let time = begun.elapsed();
    let text = String::from_utf8_lossy(&octets);
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("{method} {path}: no answer"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("{method} {path}: {head}"))?;
    ensure!(!head.contains("chunked") || body.ends_with("0\r\n\r\n"), "{method} {path}: cut off");
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned(), octets: octets.len(), time })
}
