//! Sockets that others come to.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, UdpSocket};

/// Connections that the system holds until we accept them.
const BACKLOG: i32 = 1024;

/// Listens on one address; with it the address as bound. Call within a tokio runtime.
pub(crate) fn tcp(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // a restart must not wait for the last connections of its predecessor
    socket.set_reuse_address(true)?;
    prepare(&socket, address)?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// The same for packets.
pub(crate) fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    prepare(&socket, address)?;
    UdpSocket::from_std(socket.into())
}

fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() {
        // so that 0.0.0.0 and [::] can be listened on side by side
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_cannot_be_bound_twice() {
        let (_listener, address) = tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!(tcp(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let socket = udp("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_eq!(udp(socket.local_addr().unwrap()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
