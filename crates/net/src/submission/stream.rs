//! A client's byte stream, in the clear or under TLS.

use relay::submission::TlsTrouble;
use rustls::{AlertDescription, PeerIncompatible, ProtocolVersion};
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::read_ahead::ReadAhead;

/// How long a closed connection is listened to, so that the last reply is not lost to a reset.
const LINGER: Duration = Duration::from_secs(2);
/// Octets that are thrown away meanwhile.
const LINGER_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// The stream of one connection.
pub(crate) enum Stream<T> {
    /// Before TLS.
    Clear(T),
    /// Under TLS; boxed, because it is large.
    Tls(Box<TlsStream<ReadAhead<T>>>),
}

/// What a connection is made of: a socket, or what a simulator puts in its place.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Why a handshake came to nothing.
pub(crate) enum HandshakeError {
    /// The client was silent for too long.
    TimeOut,
    /// The client went away, as scanners do.
    Gone(io::Error),
    /// TLS itself failed.
    Tls(TlsTrouble),
}

/// The handshake, at most `patience`; with the stream the version, `TLS 1.3`.
pub(crate) async fn handshake<T: Transport>(
    acceptor: &TlsAcceptor,
    stream: T,
    patience: Duration,
) -> Result<(Stream<T>, &'static str), HandshakeError> {
    match tokio::time::timeout(patience, acceptor.accept(ReadAhead::new(stream))).await {
        Err(_) => Err(HandshakeError::TimeOut),
        Ok(Err(error)) => Err(trouble(error)),
        Ok(Ok(stream)) => {
            let version = match stream.get_ref().1.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS",
            };
            Ok((Stream::Tls(Box::new(stream)), version))
        }
    }
}

fn trouble(error: io::Error) -> HandshakeError {
    let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return HandshakeError::Gone(error);
    };
    HandshakeError::Tls(match inner {
        // TLS 1.1 has no list of signature algorithms, so its lack is noticed before the version
        rustls::Error::PeerIncompatible(
            PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => TlsTrouble::Old,
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => TlsTrouble::Old,
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnsupportedCertificate),
        ) => TlsTrouble::Distrust(format!("{alert:?}")),
        other => TlsTrouble::Other(other.to_string()),
    })
}

impl<T: Transport> Stream<T> {
    /// Writes the last replies, at most `patience`, says that nothing more comes, then listens a moment, throwing away
    /// what still arrives: closing at once would reset the connection and could take the last reply with it.
    pub(crate) async fn close(mut self, last: &[u8], patience: Duration) {
        if !matches!(tokio::time::timeout(patience, self.leave(last)).await, Ok(Ok(()))) {
            return;
        }
        let listening = async {
            let mut scrap = vec![0; 4096];
            let mut octets = 0;
            while let Ok(read @ 1..) = self.read(&mut scrap).await {
                octets += read;
                if octets > LINGER_OCTETS_MAX {
                    return;
                }
            }
        };
        // whoever has not gone by then is left
        let _ = tokio::time::timeout(LINGER, listening).await;
    }

    async fn leave(&mut self, mut last: &[u8]) -> io::Result<()> {
        if let Stream::Tls(stream) = self {
            // into the buffer of TLS, so that they leave together with its own farewell
            let taken = stream.get_mut().1.writer().write(last)?;
            last = &last[taken..];
        }
        self.write_all(last).await?;
        self.shutdown().await
    }
}

impl<T: Transport> AsyncRead for Stream<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl<T: Transport> AsyncWrite for Stream<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Clear(stream) => Pin::new(stream).poll_write(context, octets),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Clear(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
