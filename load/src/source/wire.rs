//! A client's connection: dialled from a chosen address, in clear or under TLS, read and written without waiting.

use mio::net::TcpStream;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What rustls reads at once: a read below it has emptied the socket.
const READ_OCTETS: usize = 4096;
/// Plain octets that are put under TLS before they are written.
const PIECE_OCTETS: usize = 64 * 1024;

/// The clients' TLS: with tickets kept from one connection to the next, or none.
pub(super) fn config(resumption: bool) -> anyhow::Result<Arc<ClientConfig>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth();
    config.resumption = if resumption { Resumption::default() } else { Resumption::disabled() };
    Ok(Arc::new(config))
}

/// Believes every server: what is measured is the server's work, not the client's.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256, SignatureScheme::ED25519]
    }
}

/// One connection.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    tls: Option<ClientConnection>,
    /// To be written in clear.
    output: Vec<u8>,
}

impl Wire {
    /// Dials; whether that succeeds shows when it is written or read.
    pub(super) fn dial(server: SocketAddr, from: Option<IpAddr>) -> io::Result<Wire> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(address) = from {
            socket.set_reuse_address(true)?;
            socket.bind(&SocketAddr::new(address, 0).into())?;
        }
        match socket.connect(&server.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let stream = TcpStream::from_std(socket.into());
        Ok(Wire { stream, tls: None, output: Vec::new() })
    }

    /// Goes under TLS from here on.
    pub(super) fn secure(&mut self, config: &Arc<ClientConfig>) -> Result<(), rustls::Error> {
        let name = ServerName::try_from("localhost").map_err(|_| rustls::Error::General("name".into()))?;
        self.tls = Some(ClientConnection::new(Arc::clone(config), name)?);
        Ok(())
    }

    /// Sends a command; what cannot be written yet waits.
    pub(super) fn say(&mut self, command: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(command)?,
            None => self.output.extend_from_slice(command),
        }
        self.flush()
    }

    /// Sends content as far as the socket takes it; how many octets that was.
    pub(super) fn send(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            self.output.extend_from_slice(octets);
            self.flush()?;
            return Ok(octets.len());
        };
        let mut sent = 0;
        while sent < octets.len() && !tls.wants_write() {
            let piece = &octets[sent..octets.len().min(sent + PIECE_OCTETS)];
            sent += tls.writer().write(piece)?;
            flush_tls(tls, &mut self.stream)?;
        }
        Ok(sent)
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            return flush_tls(tls, &mut self.stream);
        }
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(written) => _ = self.output.drain(..written),
                Err(error) if is_later(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once and puts what came behind `lines`; whether there may be more.
    ///
    /// # Errors
    /// The connection is over.
    pub(super) fn read(&mut self, lines: &mut Vec<u8>) -> io::Result<bool> {
        let mut scratch = [0; READ_OCTETS];
        let Some(tls) = &mut self.tls else {
            return match self.stream.read(&mut scratch) {
                Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    lines.extend_from_slice(&scratch[..count]);
                    Ok(count == READ_OCTETS)
                }
                Err(error) if is_later(&error) => Ok(false),
                Err(error) => Err(error),
            };
        };
        let count = match tls.read_tls(&mut self.stream) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if is_later(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        if state.plaintext_bytes_to_read() > 0 {
            let count = tls.reader().read(&mut scratch)?;
            lines.extend_from_slice(&scratch[..count]);
        }
        flush_tls(tls, &mut self.stream)?;
        Ok(count >= READ_OCTETS)
    }
}

fn flush_tls(tls: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(stream) {
            Ok(_) => {}
            Err(error) if is_later(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Not connected yet, or no room, or nothing there.
fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
