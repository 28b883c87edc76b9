//! The demonstration's own mail client: a hundred lines that share nothing with the server they talk to.

use anyhow::{Context, bail, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(30);

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// In clear, then STARTTLS.
    StartTls,
    /// From the first octet.
    Tls,
}

/// What to send, and as whom.
pub(super) struct Letter<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) sender: &'a str,
    pub(super) recipient: &'a str,
    /// CRLF line ends; no line begins with a dot.
    pub(super) content: &'a str,
}

/// Sends a letter and gives the server's last reply.
pub(super) async fn send(
    server: SocketAddr,
    encryption: Encryption,
    authority: &Path,
    letter: &Letter<'_>,
) -> anyhow::Result<String> {
    tokio::time::timeout(PATIENCE, dialogue(server, encryption, authority, letter))
        .await
        .context("the server fell silent")?
}

async fn dialogue(
    server: SocketAddr,
    encryption: Encryption,
    authority: &Path,
    letter: &Letter<'_>,
) -> anyhow::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::from(server.ip());
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    match encryption {
        Encryption::Tls => {
            let mut talk = BufReader::new(connector.connect(name, stream).await?);
            expect(&mut talk, "220").await?;
            submit(&mut talk, letter).await
        }
        Encryption::StartTls => {
            let mut talk = BufReader::new(stream);
            expect(&mut talk, "220").await?;
            say(&mut talk, "EHLO demo.localhost", "250").await?;
            say(&mut talk, "STARTTLS", "220").await?;
            ensure!(talk.buffer().is_empty(), "the server said something behind its STARTTLS reply");
            let mut talk = BufReader::new(connector.connect(name, talk.into_inner()).await?);
            submit(&mut talk, letter).await
        }
    }
}

async fn submit<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut BufReader<S>,
    letter: &Letter<'_>,
) -> anyhow::Result<String> {
    let greeting = say(talk, "EHLO demo.localhost", "250").await?;
    ensure!(greeting.contains("AUTH PLAIN"), "the server offers no AUTH PLAIN: {greeting}");
    let secret = base64(format!("\0{}\0{}", letter.username, letter.password).as_bytes());
    say(talk, &format!("AUTH PLAIN {secret}"), "235").await?;
    say(talk, &format!("MAIL FROM:<{}>", letter.sender), "250").await?;
    say(talk, &format!("RCPT TO:<{}>", letter.recipient), "250").await?;
    say(talk, "DATA", "354").await?;
    let queued = say(talk, &format!("{}.", letter.content), "250").await?;
    say(talk, "QUIT", "221").await?;
    Ok(queued)
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut BufReader<S>,
    line: &str,
    code: &str,
) -> anyhow::Result<String> {
    talk.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
    talk.get_mut().flush().await?;
    expect(talk, code).await
}

/// Reads one reply, which has to have this code; its lines joined by line ends.
async fn expect<S: AsyncRead + AsyncWrite + Unpin>(talk: &mut BufReader<S>, code: &str) -> anyhow::Result<String> {
    let mut reply = String::new();
    loop {
        let begin = reply.len();
        if talk.read_line(&mut reply).await? == 0 {
            bail!("the server closed the connection after: {reply}");
        }
        if reply.as_bytes().get(begin + 3) != Some(&b'-') {
            break;
        }
    }
    let reply = reply.trim_end().to_owned();
    ensure!(reply.starts_with(code), "{code} was expected and the server said: {reply}");
    Ok(reply)
}

fn base64(octets: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_by_the_book() {
        // RFC 4648 §10
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(super::base64(plain.as_bytes()), coded);
        }
    }
}
