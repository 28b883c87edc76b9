//! The receiving server of the demonstration: takes all mail and keeps it in memory. Its SMTP is its own.
//!
//! It shares no code with the relay, so that what it got is what went over the wire. Loopback alone, no
//! TLS, bounded in every direction.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

/// How many messages the demonstration keeps.
pub(super) const MESSAGES_KEPT: usize = 100;
const CONTENT_OCTETS_MAX: usize = 64 * 1024 * 1024;
const LINE_OCTETS_MAX: u64 = 64 * 1024;
const SESSIONS_MAX: usize = 100;
const PATIENCE: Duration = Duration::from_secs(300);

/// A message as it came.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// What MAIL FROM named.
    pub sender: String,
    /// What each RCPT TO named.
    pub recipients: Vec<String>,
    /// The content, dots un-stuffed.
    pub content: Vec<u8>,
}

/// A running receiving server.
#[derive(Clone, Debug)]
pub struct Capture {
    address: SocketAddr,
    messages_kept: usize,
    kept: Arc<Mutex<VecDeque<Arc<Captured>>>>,
    /// The folder that each is a file in besides; none: they are in memory alone.
    folder: Option<Arc<Path>>,
    /// How many came.
    count: Arc<AtomicUsize>,
    arrived: Arc<Notify>,
}

impl Capture {
    /// Listens on a free port of loopback, for as long as the runtime lives; keeps the newest so many messages.
    ///
    /// # Errors
    /// There is none.
    pub async fn start(messages_kept: usize) -> std::io::Result<Capture> {
        Capture::keeping_in(messages_kept, None).await
    }

    /// The same, and each is a file in this folder, which is made.
    ///
    /// # Errors
    /// There is no free port, or the folder cannot be made.
    pub(super) async fn keeping_in(messages_kept: usize, folder: Option<&Path>) -> std::io::Result<Capture> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let capture = Capture {
            address: listener.local_addr()?,
            messages_kept,
            kept: Arc::default(),
            folder: folder.map(Arc::from),
            count: Arc::default(),
            arrived: Arc::default(),
        };
        let here = capture.clone();
        tokio::spawn(async move {
            let sessions = Arc::new(Semaphore::new(SESSIONS_MAX));
            loop {
                let Ok(permit) = Arc::clone(&sessions).acquire_owned().await else { return };
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let here = here.clone();
                        tokio::spawn(async move {
                            // a client that breaks off is its own affair
                            let _ = here.converse(stream).await;
                            drop(permit);
                        });
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Ok(capture)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came and is kept, oldest first.
    pub fn messages(&self) -> Vec<Arc<Captured>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Waits for a message that `wanted` picks; none where it does not come within `patience`.
    pub async fn wait(&self, patience: Duration, wanted: impl Fn(&Captured) -> bool) -> Option<Arc<Captured>> {
        let find = || self.messages().into_iter().find(|message| wanted(message));
        let waiting = async {
            loop {
                let next = self.arrived.notified();
                if let Some(found) = find() {
                    return found;
                }
                next.await;
            }
        };
        tokio::time::timeout(patience, waiting).await.ok()
    }

    fn keep(&self, message: Captured) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= self.messages_kept {
            kept.pop_front();
        }
        kept.push_back(Arc::new(message));
        drop(kept);
        self.arrived.notify_waiters();
    }

    /// Writes a message to the folder, and takes the file of the one that is kept no more.
    async fn write(&self, message: &Captured) {
        let Some(folder) = &self.folder else { return };
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let file = |number: usize| folder.join(format!("{:06}.eml", number + 1));
        if let Err(error) = tokio::fs::write(file(number), &message.content).await {
            tracing::warn!(%error, "a message of the demonstration is in no file");
        }
        if let Some(oldest) = number.checked_sub(self.messages_kept) {
            // one that is gone already need not go
            let _ = tokio::fs::remove_file(file(oldest)).await;
        }
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let (reading, mut writing) = stream.into_split();
        let mut reading = BufReader::new(reading);
        writing.write_all(b"220 capture.localhost ready\r\n").await?;
        let mut message = Captured::default();
        loop {
            let Some(line) = line(&mut reading).await? else { return Ok(()) };
            let text = String::from_utf8_lossy(&line).into_owned();
            let verb = text.get(..4).unwrap_or(&text).to_ascii_uppercase();
            let reply: &[u8] = match verb.trim_end() {
                "EHLO" => b"250-capture.localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 0\r\n",
                "HELO" | "NOOP" => b"250 fine\r\n",
                "RSET" => {
                    message = Captured::default();
                    b"250 forgotten\r\n"
                }
                "MAIL" => {
                    message = Captured { sender: path(&text), ..Captured::default() };
                    b"250 go on\r\n"
                }
                "RCPT" if message.recipients.len() < 1000 => {
                    message.recipients.push(path(&text));
                    b"250 go on\r\n"
                }
                "DATA" if !message.recipients.is_empty() => {
                    writing.write_all(b"354 end with a dot\r\n").await?;
                    let Some(content) = content(&mut reading).await? else { return Ok(()) };
                    message.content = content;
                    self.write(&message).await;
                    self.keep(std::mem::take(&mut message));
                    b"250 captured\r\n"
                }
                "QUIT" => {
                    writing.write_all(b"221 goodbye\r\n").await?;
                    return Ok(());
                }
                _ => b"503 not now\r\n",
            };
            writing.write_all(reply).await?;
        }
    }
}

/// One line without its end; none at the end of the connection.
async fn line(reading: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut limited = reading.take(LINE_OCTETS_MAX);
    let reading = limited.read_until(b'\n', &mut line);
    let octets = tokio::time::timeout(PATIENCE, reading).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
    if octets == 0 || !line.ends_with(b"\n") {
        return Ok(None);
    }
    while line.last().is_some_and(|octet| matches!(octet, b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(line))
}

/// The content up to the line with nothing but a dot. Line ends are kept as they come.
async fn content(reading: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let mut whole = true;
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut *reading).take(LINE_OCTETS_MAX);
        let next = limited.read_until(b'\n', &mut line);
        tokio::time::timeout(PATIENCE, next).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
        if line.is_empty() || content.len() + line.len() > CONTENT_OCTETS_MAX {
            return Ok(None);
        }
        if whole && line == b".\r\n" {
            return Ok(Some(content));
        }
        let stuffed = usize::from(whole && line.starts_with(b"."));
        content.extend_from_slice(&line[stuffed..]);
        // a very long line comes in pieces: a dot at the start of a further piece is no stuffing
        whole = line.ends_with(b"\r\n");
    }
}

/// What stands between the angle brackets.
fn path(command: &str) -> String {
    let after = command.split_once('<').map_or("", |(_, rest)| rest);
    after.split_once('>').map_or("", |(path, _)| path).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_are_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let capture = Capture::keeping_in(2, Some(folder.path())).await.unwrap();
        for text in ["one", "two", "three"] {
            let message = Captured { content: text.into(), ..Captured::default() };
            capture.write(&message).await;
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        names.sort();
        let texts: Vec<_> = names.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        assert_eq!(texts, ["two", "three"]);
    }

    #[tokio::test]
    async fn takes_what_is_sent_dots_and_all() {
        let capture = Capture::start(MESSAGES_KEPT).await.unwrap();
        let mut stream = TcpStream::connect(capture.address()).await.unwrap();
        let said = "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n\
                    Subject: t\r\n\r\n..a\r\n.b\r\nbare\n.\n..\r\n.\r\nQUIT\r\n";
        stream.write_all(said.as_bytes()).await.unwrap();
        let message = capture.wait(Duration::from_secs(10), |_| true).await.unwrap();
        assert_eq!((message.sender.as_str(), message.recipients[0].as_str()), ("a@x.example", "b@y.example"));
        assert_eq!(message.content, b"Subject: t\r\n\r\n.a\r\nb\r\nbare\n.\n..\r\n");
    }
}
