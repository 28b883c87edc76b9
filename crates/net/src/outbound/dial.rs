//! Connections to next hops: TCP, unless somebody puts another network in its place.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

/// What a connection is made of.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for T {}

/// Who makes connections.
pub trait Dialer: Send + Sync + 'static {
    /// A connection.
    type Stream: Transport;

    /// Connects to `remote`, from `source` where that is given. An error with [`SourceUnusable`] inside says that it is the
    /// source that cannot be used, whatever the remote.
    fn dial(&self, remote: SocketAddr, source: Option<IpAddr>)
    -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Our own address of a connection, where it is known.
    fn local(&self, stream: &Self::Stream) -> Option<IpAddr>;
}

/// The address that was to be dialled from is not this machine's, or is refused by it: with what the system says.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be sent from: {1}")]
pub struct SourceUnusable(pub IpAddr, pub io::Error);

/// The system's TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    type Stream = TcpStream;

    async fn dial(&self, remote: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
        let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(source) = source {
            socket
                .bind(SocketAddr::new(source, 0))
                .map_err(|error| io::Error::new(error.kind(), SourceUnusable(source, error)))?;
        }
        let stream = socket.connect(remote).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn local(&self, stream: &TcpStream) -> Option<IpAddr> {
        stream.local_addr().ok().map(|local| local.ip())
    }
}
