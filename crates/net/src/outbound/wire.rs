//! The octets of a conversation: clear or TLS, written while what the other end says is read.

use bytes::BytesMut;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::dial::Transport;

/// Octets read at once.
const READ_OCTETS: usize = 4096;

/// Octets heard and not yet looked at, past which nothing more is read while writing.
const INPUT_OCTETS_MAX: usize = 128 * 1024;

/// A connection.
pub(super) enum Wire<T> {
    Clear(T),
    Tls(Box<TlsStream<T>>),
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    /// Everything is on its way.
    All,
    /// The other end said something before everything was written, and writing stopped.
    Interrupted,
}

impl<T: Transport> Wire<T> {
    fn reading(&mut self) -> Pin<&mut (dyn AsyncRead + Unpin)> {
        match self {
            Wire::Clear(stream) => Pin::new(stream),
            Wire::Tls(stream) => Pin::new(stream.as_mut()),
        }
    }

    fn writing(&mut self) -> Pin<&mut (dyn AsyncWrite + Unpin)> {
        match self {
            Wire::Clear(stream) => Pin::new(stream),
            Wire::Tls(stream) => Pin::new(stream.as_mut()),
        }
    }

    /// Reads what is there, waiting until there is something. 0: the other end has hung up.
    pub(super) async fn read(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        input.reserve(READ_OCTETS);
        match self {
            Wire::Clear(stream) => stream.read_buf(input).await,
            Wire::Tls(stream) => stream.read_buf(input).await,
        }
    }

    /// Whether the other end said something or hung up; looks without waiting.
    pub(super) fn is_stirred(&mut self) -> bool {
        let mut octet = [0; 1];
        let mut buffer = ReadBuf::new(&mut octet);
        self.reading().poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer).is_ready()
    }

    /// Writes everything. Meanwhile reads what the other end says, so that two ends which both write
    /// never wait for each other; with `yields` it stops at the first such octet.
    pub(super) async fn write(
        &mut self,
        slices: &mut [IoSlice<'_>],
        input: &mut BytesMut,
        yields: bool,
    ) -> io::Result<Wrote> {
        let mut rest = slices;
        poll_fn(|context| {
            if self.poll_write_rest(&mut rest, context)?.is_ready() {
                return Poll::Ready(Ok(Wrote::All));
            }
            // only while the kernel takes no more: what is heard now was said before it had everything
            while input.len() < INPUT_OCTETS_MAX {
                ready!(self.poll_hear(input, context))?;
                if yields {
                    return Poll::Ready(Ok(Wrote::Interrupted));
                }
            }
            Poll::Pending
        })
        .await
    }

    fn poll_write_rest(&mut self, rest: &mut &mut [IoSlice<'_>], context: &mut Context<'_>) -> io::Result<Poll<()>> {
        while !rest.is_empty() {
            match self.writing().poll_write_vectored(context, rest) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(octets)) => IoSlice::advance_slices(rest, octets),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        match self.writing().poll_flush(context) {
            Poll::Ready(result) => result.map(Poll::Ready),
            Poll::Pending => Ok(Poll::Pending),
        }
    }

    fn poll_hear(&mut self, input: &mut BytesMut, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut octets = [0; READ_OCTETS];
        let mut buffer = ReadBuf::new(&mut octets);
        ready!(self.reading().poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        input.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }

    /// Ends the connection properly.
    pub(super) async fn shutdown(&mut self) {
        // it is over either way
        let _ = match self {
            Wire::Clear(stream) => stream.shutdown().await,
            Wire::Tls(stream) => stream.shutdown().await,
        };
    }
}
