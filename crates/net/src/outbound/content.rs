//! The content on its way out: signature first, lent from memory or read from its file in pieces.

use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use relay::store::Content;
use smtp::client::Stuffing;
use std::io::{self, IoSlice};
use std::time::Duration;
use tokio::io::AsyncReadExt;

use super::dial::Transport;
use super::wire::{Wire, Wrote};

/// Octets written, or read from a file, at once.
const PIECE_OCTETS: usize = 128 * 1024;

/// Why the content did not go out whole.
#[derive(Debug)]
pub(super) enum ContentError {
    /// The other end said something meanwhile.
    Interrupted,
    /// The connection broke or stalled, in words.
    Broken(String),
    /// We could not read it, in words.
    Unreadable(String),
}

/// Octets of a message as sent, dots not doubled.
pub(super) fn octets(seal: Option<&Bytes>, content: &Content) -> u64 {
    let content = match content {
        Content::Held(octets) => octets.len() as u64,
        Content::Filed { octets, .. } => *octets,
    };
    content + seal.map_or(0, |seal| seal.len() as u64)
}

/// Writes a message and its end; each piece has to be taken within `patience`.
pub(super) struct Writer<'a, T> {
    pub(super) wire: &'a mut Wire<T>,
    pub(super) input: &'a mut BytesMut,
    pub(super) patience: Duration,
    /// The SHA-256 of the content as it was admitted; none where that is not known.
    pub(super) sha256: Option<&'a [u8; 32]>,
}

impl<T: Transport> Writer<'_, T> {
    /// Writes it all. Content in memory is the admitted one itself, or was held to its hash when the store read it from its log.
    /// Content in a file is read here, and hashed on its way: where it is another than was admitted, its end does not go out.
    ///
    /// # Errors
    /// [`ContentError`]: the end has not gone out, so nothing was delivered.
    pub(super) async fn write(&mut self, seal: Option<&Bytes>, content: &Content) -> Result<(), ContentError> {
        let mut stuffing = Stuffing::default();
        let seal = seal.map_or(&[][..], |seal| seal.as_ref());
        match content {
            Content::Held(octets) => self.write_held(seal, octets, &mut stuffing).await,
            Content::Filed { path, octets } => {
                let mut file = tokio::fs::File::open(path).await.map_err(|error| unreadable(&error))?;
                let mut slices = Vec::new();
                stuffing.split(seal, &mut slices);
                self.write_slices(&mut slices).await?;
                self.write_file(&mut file, *octets, &mut stuffing).await
            }
        }
    }

    /// A small message is one write, signature and end included.
    async fn write_held(&mut self, seal: &[u8], octets: &[u8], stuffing: &mut Stuffing) -> Result<(), ContentError> {
        let mut slices = Vec::new();
        stuffing.split(seal, &mut slices);
        let mut pieces = octets.chunks(PIECE_OCTETS).peekable();
        while let Some(piece) = pieces.next() {
            stuffing.split(piece, &mut slices);
            if pieces.peek().is_some() {
                self.write_slices(&mut slices).await?;
            }
        }
        slices.push(stuffing.end());
        self.write_slices(&mut slices).await
    }

    async fn write_file(
        &mut self,
        file: &mut tokio::fs::File,
        octets: u64,
        stuffing: &mut Stuffing,
    ) -> Result<(), ContentError> {
        let mut buffer = vec![0; PIECE_OCTETS];
        let (mut left, mut digest) = (octets, digest::Context::new(&digest::SHA256));
        while left > 0 {
            let piece = PIECE_OCTETS.min(usize::try_from(left).unwrap_or(PIECE_OCTETS));
            file.read_exact(&mut buffer[..piece]).await.map_err(|error| unreadable(&error))?;
            digest.update(&buffer[..piece]);
            let mut slices = Vec::new();
            stuffing.split(&buffer[..piece], &mut slices);
            self.write_slices(&mut slices).await?;
            left -= piece as u64;
        }
        if self.sha256.is_some_and(|admitted| digest.finish().as_ref() != admitted) {
            return Err(ContentError::Unreadable("the content on disk is not what was submitted".to_owned()));
        }
        self.write_slices(&mut vec![stuffing.end()]).await
    }

    async fn write_slices(&mut self, slices: &mut Vec<&[u8]>) -> Result<(), ContentError> {
        let mut rest: Vec<IoSlice<'_>> = slices.drain(..).map(IoSlice::new).collect();
        match tokio::time::timeout(self.patience, self.wire.write(&mut rest, self.input, true)).await {
            Ok(Ok(Wrote::All)) => Ok(()),
            Ok(Ok(Wrote::Interrupted)) => Err(ContentError::Interrupted),
            Ok(Err(error)) => Err(ContentError::Broken(format!("the connection broke during the content: {error}"))),
            Err(_) => Err(ContentError::Broken("the next hop stopped taking the content".into())),
        }
    }
}

fn unreadable(error: &io::Error) -> ContentError {
    ContentError::Unreadable(format!("the content could not be read from disk: {error}"))
}
