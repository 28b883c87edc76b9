//! Lines over a connection, as both clients and next hops speak them.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pipe::{End, Mark};

/// One end of a dialogue.
pub struct Talk {
    end: End,
    input: BytesMut,
    patience: Duration,
}

/// The connection is of no use any more.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

impl Talk {
    /// Over this end; nobody waits longer than `patience`.
    pub fn new(end: End, patience: Duration) -> Self {
        Talk { end, input: BytesMut::new(), patience }
    }

    /// The connection.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// Says something; the place behind it.
    ///
    /// # Errors
    /// Nobody takes it.
    pub async fn say(&mut self, octets: &[u8]) -> Result<Mark, Gone> {
        let mark = self.end.mark(octets.len());
        match tokio::time::timeout(self.patience, self.end.write_all(octets)).await {
            Ok(Ok(())) => Ok(mark),
            _ => Err(Gone),
        }
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// None comes.
    pub async fn line(&mut self) -> Result<String, Gone> {
        loop {
            if let Some(at) = self.input.iter().position(|octet| *octet == b'\n') {
                let line = self.input.split_to(at + 1);
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            self.more().await?;
        }
    }

    /// A reply: its code, and its text.
    ///
    /// # Errors
    /// None comes.
    pub async fn reply(&mut self) -> Result<(u16, String), Gone> {
        let mut text = String::new();
        loop {
            let line = self.line().await?;
            let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or(Gone)?;
            text.push_str(line.get(4..).unwrap_or_default());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok((code, text));
            }
            text.push('\n');
        }
    }

    /// Content up to its lone dot, dots not undoubled.
    ///
    /// # Errors
    /// It does not end.
    pub async fn content(&mut self) -> Result<Vec<u8>, Gone> {
        let mut from = 0;
        loop {
            if self.input.starts_with(b".\r\n") {
                self.input.advance(3);
                return Ok(Vec::new());
            }
            let found = self.input[from..].windows(5).position(|five| five == b"\r\n.\r\n");
            if let Some(at) = found {
                let content = self.input.split_to(from + at + 5);
                return Ok(content[..content.len() - 3].to_vec());
            }
            from = self.input.len().saturating_sub(4);
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Gone> {
        self.input.reserve(4096);
        match tokio::time::timeout(self.patience, self.end.read_buf(&mut self.input)).await {
            Ok(Ok(1..)) => Ok(()),
            _ => Err(Gone),
        }
    }

    /// Says that nothing more comes.
    pub async fn close(mut self) {
        // it is over either way
        let _ = self.end.shutdown().await;
    }
}

/// Content with the doubled dots undoubled.
pub fn undoubled(content: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(content.len());
    let mut at_start = true;
    for octet in content {
        if !(at_start && *octet == b'.') {
            plain.push(*octet);
        }
        at_start = *octet == b'\n';
    }
    plain
}

/// Content with dots doubled and its end.
pub fn doubled(content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(content.len() + 16);
    let mut at_start = true;
    for octet in content {
        if at_start && *octet == b'.' {
            wire.push(b'.');
        }
        wire.push(*octet);
        at_start = *octet == b'\n';
    }
    wire.extend_from_slice(b".\r\n");
    wire
}
