//! A client's byte stream, in the clear or under TLS.

use relay::submission::TlsTrouble;
use rustls::{AlertDescription, PeerIncompatible, ProtocolVersion};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a closed connection is listened to, so that the last reply is not lost to a reset.
const LINGER: Duration = Duration::from_secs(2);
/// Octets that are thrown away meanwhile.
const LINGER_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// The stream of one connection.
pub(super) enum Stream {
    /// Before TLS.
    Clear(TcpStream),
    /// Under TLS; boxed, because it is large.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why a handshake came to nothing.
pub(super) enum HandshakeError {
    /// The client was silent for too long.
    TimeOut,
    /// The client went away, as scanners do.
    Gone(io::Error),
    /// TLS itself failed.
    Tls(TlsTrouble),
}

/// The handshake, at most `patience`; with the stream the version, `TLS 1.3`.
pub(super) async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    patience: Duration,
) -> Result<(Stream, &'static str), HandshakeError> {
    match tokio::time::timeout(patience, acceptor.accept(stream)).await {
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

impl Stream {
    /// Says that nothing more comes, then listens a moment, throwing away what still arrives: closing
    /// at once would reset the connection and could take the last reply with it.
    pub(super) async fn close(mut self) {
        let farewell = async {
            if self.shutdown().await.is_err() {
                return;
            }
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
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
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
