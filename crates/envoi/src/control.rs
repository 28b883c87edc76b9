//! The control socket: one JSON line asks, one answers. Who may open the data folder may ask.

use relay::service::operation::{Answer, Operation};
use relay::service::{Fault, Identity};
use relay::store::Store;
use serde::{Deserialize, Serialize};
use std::fs::{File, Permissions};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use net::shutdown::Shutdown;

use crate::execute::Executor;
use crate::execute::backup::Archive;

const NAME: &str = "control.sock";
/// Octets of a request, besides those of a message in it.
const REQUEST_OCTETS_MAX: u64 = 1024 * 1024;
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// The longest path that a socket address can hold, less what a temporary name adds.
const PATH_OCTETS_MAX: usize = 100;

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    version: String,
    operation: Operation,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Answer(Box<Answer>),
    Fault(Fault),
}

/// A path to the socket short enough for a socket address; the folder is kept open with it.
struct Place {
    path: PathBuf,
    _folder: Option<File>,
}

fn place(data_dir: &Path, name: &str) -> std::io::Result<Place> {
    let path = data_dir.join(name);
    if path.as_os_str().len() <= PATH_OCTETS_MAX {
        return Ok(Place { path, _folder: None });
    }
    let folder = File::open(data_dir)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()));
    Ok(Place { path, _folder: Some(folder) })
}

/// A listening control socket; its file goes with it.
pub struct Control {
    listener: UnixListener,
    file: PathBuf,
}

impl Control {
    /// Listens in the data folder, in place of what a crash left there. Only the owner of the folder's lock may.
    ///
    /// # Errors
    /// The folder does not let it.
    pub fn listen(data_dir: &Path) -> std::io::Result<Control> {
        // made under another name first, so that nobody reaches it before its mode is right
        let (fresh, last) = (place(data_dir, "control.new")?, place(data_dir, NAME)?);
        match std::fs::remove_file(&fresh.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&fresh.path)?;
        std::fs::set_permissions(&fresh.path, Permissions::from_mode(0o600))?;
        std::fs::rename(&fresh.path, &last.path)?;
        Ok(Control { listener, file: data_dir.join(NAME) })
    }

    /// Answers until shutdown.
    pub async fn serve<S: Store + Archive>(self, executor: Arc<Executor<S>>, shutdown: Shutdown) {
        loop {
            let accepted = tokio::select! {
                () = shutdown.begun() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (executor, shutdown) = (Arc::clone(&executor), shutdown.clone());
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, &executor, &shutdown).await {
                            tracing::debug!(%error, "a command went away before its answer");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket did not accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // where it is gone already, all is well
        let _ = std::fs::remove_file(&self.file);
    }
}

async fn converse<S: Store + Archive>(
    stream: UnixStream,
    executor: &Arc<Executor<S>>,
    shutdown: &Shutdown,
) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut text = String::new();
    // in base64 a message grows by a third
    let message_octets = executor.limits.message_octets_max.saturating_mul(3) / 2;
    let mut reading = BufReader::new(reading).take(REQUEST_OCTETS_MAX + message_octets);
    match tokio::time::timeout(REQUEST_PATIENCE, reading.read_line(&mut text)).await {
        Ok(read) => read?,
        Err(_) => return Ok(()),
    };
    let request: Request = match serde_json::from_str(&text) {
        Ok(request) => request,
        Err(error) => return say(&mut writing, &Line::Fault(unknown_operation(&text, &error))).await,
    };
    let is_read = request.operation.is_read();
    let answered = tokio::select! {
        answered = executor.carry_out(request.operation, Identity::operator("cli")) => answered,
        // whoever waits for something to happen is not waited for
        () = shutdown.begun(), if is_read => return Ok(()),
    };
    let line = match answered {
        Ok(answer) => Line::Answer(Box::new(answer)),
        Err(fault) => Line::Fault(fault),
    };
    say(&mut writing, &line).await
}

fn unknown_operation(text: &str, error: &serde_json::Error) -> Fault {
    let theirs = serde_json::from_str::<serde_json::Value>(text).ok();
    let version = theirs.as_ref().and_then(|request| request["version"].as_str()).unwrap_or("unknown");
    Fault::invalid(
        format!("The running relay does not understand the command: {error}."),
        format!(
            "The relay is version {}, the command {version}: run both from the same release.",
            env!("CARGO_PKG_VERSION")
        ),
    )
}

async fn say(writing: &mut (impl AsyncWriteExt + Unpin), line: &Line) -> std::io::Result<()> {
    let mut text = serde_json::to_string(line).map_err(std::io::Error::other)?;
    text.push('\n');
    writing.write_all(text.as_bytes()).await
}

/// A conversation with a running relay.
pub struct Client {
    reading: tokio::io::Lines<BufReader<tokio::net::unix::OwnedReadHalf>>,
    _writing: tokio::net::unix::OwnedWriteHalf,
}

/// Asks the relay of this data folder, where one runs; none where none listens.
///
/// # Errors
/// One listens and could not be asked.
pub async fn ask(data_dir: &Path, operation: Operation) -> std::io::Result<Option<Client>> {
    let socket = match place(data_dir, NAME) {
        Ok(socket) => socket,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let stream = match UnixStream::connect(&socket.path).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (reading, mut writing) = stream.into_split();
    let request = Request { version: env!("CARGO_PKG_VERSION").into(), operation };
    let mut text = serde_json::to_string(&request).map_err(std::io::Error::other)?;
    text.push('\n');
    writing.write_all(text.as_bytes()).await?;
    Ok(Some(Client { reading: BufReader::new(reading).lines(), _writing: writing }))
}

impl Client {
    /// The answer; none where the relay ended the conversation.
    ///
    /// # Errors
    /// The fault that it answered with, or that it went away.
    pub async fn answer(mut self) -> Result<Option<Answer>, Fault> {
        let line = self.reading.next_line().await.map_err(|error| {
            Fault::unavailable(format!("The relay went away: {error}."), "See whether it runs; `envoi doctor` helps.")
        })?;
        let Some(line) = line else { return Ok(None) };
        match serde_json::from_str(&line) {
            Ok(Line::Answer(answer)) => Ok(Some(*answer)),
            Ok(Line::Fault(fault)) => Err(fault),
            Err(error) => Err(Fault::unavailable(
                format!("The relay's answer was not understood: {error}."),
                "Run the command from the same release as the relay.",
            )),
        }
    }
}
