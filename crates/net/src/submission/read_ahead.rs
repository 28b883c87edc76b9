//! Reads a socket ahead of TLS: rustls asks for 4 KB at a time, which is a system call for each while content flows.

use bytes::{Buf, BytesMut};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

/// Octets asked for at once while content flows: two records of TLS (RFC 8446 §5.2) and their frames.
const OCTETS: usize = 36 * 1024;

/// A stream that is read in large pieces while it flows. Between them, and while it is idle, it holds nothing.
pub(crate) struct ReadAhead<T> {
    stream: T,
    ahead: BytesMut,
    /// The last read brought all that was asked for, so there is likely more.
    is_flowing: bool,
}

impl<T> ReadAhead<T> {
    /// Reads `stream` ahead.
    pub(crate) fn new(stream: T) -> Self {
        ReadAhead { stream, ahead: BytesMut::new(), is_flowing: false }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ReadAhead<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let asked = buffer.remaining();
        if this.ahead.is_empty() && !this.is_flowing {
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            this.is_flowing = buffer.remaining() == 0 && asked > 0;
            return Poll::Ready(Ok(()));
        }
        if this.ahead.is_empty() {
            this.ahead.reserve(OCTETS);
            match poll_read_buf(Pin::new(&mut this.stream), context, &mut this.ahead) {
                Poll::Ready(read) => this.is_flowing = read? >= asked,
                Poll::Pending => {
                    this.ahead = BytesMut::new();
                    return Poll::Pending;
                }
            }
        }
        let octets = asked.min(this.ahead.len());
        buffer.put_slice(&this.ahead[..octets]);
        this.ahead.advance(octets);
        if this.ahead.is_empty() && !this.is_flowing {
            this.ahead = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ReadAhead<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// Reads as rustls does, until nothing comes for now; what was read, and in how many reads of the stream at most.
    async fn read_all(ahead: &mut ReadAhead<tokio::io::DuplexStream>, octets: usize) -> Vec<u8> {
        let mut read = Vec::new();
        let mut piece = [0; 4096];
        while read.len() < octets {
            let count = ahead.read(&mut piece).await.unwrap();
            assert!(count > 0);
            read.extend_from_slice(&piece[..count]);
        }
        read
    }

    #[tokio::test]
    async fn what_flows_comes_whole_and_in_order() {
        let (mut client, server) = duplex(64 * 1024);
        let mut ahead = ReadAhead::new(server);
        let sent: Vec<u8> = (0..300_000usize).map(|place| (place % 251) as u8).collect();
        let sending = tokio::spawn({
            let sent = sent.clone();
            async move { client.write_all(&sent).await.unwrap() }
        });
        assert!(read_all(&mut ahead, sent.len()).await == sent);
        sending.await.unwrap();
        assert_eq!(ahead.read(&mut [0; 16]).await.unwrap(), 0, "the end is told");
    }

    #[tokio::test]
    async fn an_idle_stream_holds_nothing() {
        let (mut client, server) = duplex(64 * 1024);
        let mut ahead = ReadAhead::new(server);
        client.write_all(&[1; 50_000]).await.unwrap();
        assert_eq!(read_all(&mut ahead, 50_000).await.len(), 50_000);
        client.write_all(b"NOOP\r\n").await.unwrap();
        assert_eq!(read_all(&mut ahead, 6).await, b"NOOP\r\n");
        assert_eq!(ahead.ahead.capacity(), 0, "after a short read");
        client.write_all(&[2; 8192]).await.unwrap();
        assert_eq!(read_all(&mut ahead, 8192).await.len(), 8192);
        let mut piece = [0; 16];
        let waiting = ahead.read(&mut piece);
        assert!(tokio::time::timeout(std::time::Duration::ZERO, waiting).await.is_err());
        assert_eq!(ahead.ahead.capacity(), 0, "while it waits");
    }
}
