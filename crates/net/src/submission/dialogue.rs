//! Our side of a dialogue: octets in, replies out in one go, silence ended, and others given their turn.

use bytes::BytesMut;
use smtp::replies;
use smtp::reply::Reply;
use smtp::server::{Session as Machine, Step, When};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::input::Input;
use super::stream::{Stream, Transport};
use crate::shutdown::Shutdown;

/// Octets of replies that are gathered before they are written.
const OUTPUT_OCTETS_MAX: usize = 16 * 1024;
/// Octets of commands after which others have their turn: a client that pipelines without end keeps no thread.
const TURN_COMMANDS_OCTETS: usize = 2 * 1024;
/// Octets of content after which others have their turn.
const TURN_CONTENT_OCTETS: usize = 64 * 1024;
/// Room for replies that an idle session keeps.
const OUTPUT_OCTETS_IDLE: usize = 1024;

/// The machine of a session, with what was read for it and what it wants written.
pub(crate) struct Dialogue {
    pub(crate) machine: Machine,
    input: Input,
    output: BytesMut,
    /// Octets read since others had their turn.
    unshared: usize,
    /// The machine was told that the server stops.
    leaving: bool,
    /// The client ended the connection as TLS has it (`close_notify`, RFC 8446 §6.1), and did not just vanish.
    closed: bool,
}

impl Dialogue {
    pub(crate) fn new(machine: Machine) -> Self {
        Dialogue {
            machine,
            input: Input::default(),
            output: BytesMut::new(),
            unshared: 0,
            leaving: false,
            closed: false,
        }
    }

    /// What is to be done next.
    pub(crate) fn step(&mut self) -> Step {
        self.machine.step(self.input.buffer())
    }

    /// Waits for the client, at most as long as the machine is patient; wakes when the server stops. Whether octets came.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) async fn read<T: Transport>(
        &mut self,
        stream: &mut Stream<T>,
        shutdown: &Shutdown,
        has_content: bool,
    ) -> io::Result<bool> {
        self.flush(stream).await?;
        self.input.make_room(has_content);
        let silence = tokio::time::sleep(self.machine.patience());
        tokio::select! {
            biased;
            () = shutdown.begun(), if !self.leaving => {
                self.leaving = true;
                self.machine.end(replies::shutting_down(), When::BetweenTransactions);
                return Ok(false);
            }
            read = stream.read_buf(self.input.buffer()) => match read? {
                0 => {
                    self.closed = true;
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                octets => self.unshared += octets,
            },
            () = silence => {
                self.machine.end(replies::idle(), When::Now);
                return Ok(false);
            }
        }
        if self.unshared >= if has_content { TURN_CONTENT_OCTETS } else { TURN_COMMANDS_OCTETS } {
            self.unshared = 0;
            tokio::task::yield_now().await;
        }
        Ok(true)
    }

    /// Whether the client has ended the connection in order.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the client is gone already, by what has come and was not read yet; octets are read as far as they are there. Waits
    /// for nothing.
    pub(crate) async fn has_left<T: Transport>(&mut self, stream: &mut Stream<T>) -> bool {
        self.input.make_room(false);
        tokio::select! {
            biased;
            read = stream.read_buf(self.input.buffer()) => match read {
                Ok(0) | Err(_) => true,
                Ok(octets) => {
                    self.unshared += octets;
                    false
                }
            },
            () = std::future::ready(()) => false,
        }
    }

    /// Gathers a reply, and writes all of them where they have become many.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) async fn say<T: Transport>(&mut self, stream: &mut Stream<T>, reply: &Reply) -> io::Result<()> {
        reply.render(&mut self.output);
        if self.output.len() > OUTPUT_OCTETS_MAX { self.flush(stream).await } else { Ok(()) }
    }

    /// Writes all replies that are gathered, in one go.
    async fn flush<T: Transport>(&mut self, stream: &mut Stream<T>) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let write = async {
            stream.write_all(&self.output).await?;
            stream.flush().await
        };
        // a client that never reads is not waited for longer than one that never writes
        tokio::time::timeout(self.machine.patience(), write).await??;
        if self.output.capacity() > OUTPUT_OCTETS_IDLE {
            self.output = BytesMut::new();
        } else {
            self.output.clear();
        }
        Ok(())
    }

    /// The connection in the clear, ready for its handshake: what the client sent before that is dropped (RFC 3207 §4.2).
    pub(crate) async fn before_tls<T: Transport>(&mut self, mut stream: Stream<T>) -> Option<T> {
        self.flush(&mut stream).await.ok()?;
        self.input.buffer().clear();
        let Stream::Clear(stream) = stream else { return None };
        Some(stream)
    }

    /// Writes what is left, and ends the connection.
    pub(crate) async fn close<T: Transport>(&self, stream: Stream<T>) {
        stream.close(&self.output, self.machine.patience()).await;
    }
}
