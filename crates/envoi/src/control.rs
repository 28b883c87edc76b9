//! The control socket: one JSON line asks, JSON lines answer. Who may open the data folder may ask.

use relay::activity::ActivityFilter;
use relay::service::Fault;
use relay::store::{Actor, Store};
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
use crate::operation::{Answer, Operation};
use crate::view::ActivityView;

const NAME: &str = "control.sock";
const REQUEST_OCTETS_MAX: u64 = 1024 * 1024;
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
const FOLLOW_PATIENCE: Duration = Duration::from_secs(15);
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
    /// Nothing new: the other side is still there.
    Idle,
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
    pub async fn serve<S: Store>(self, executor: Arc<Executor<S>>, shutdown: Shutdown) {
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

fn operator() -> Actor {
    Actor { name: "operator".into(), from: "cli".into() }
}

async fn converse<S: Store>(
    stream: UnixStream,
    executor: &Arc<Executor<S>>,
    shutdown: &Shutdown,
) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut text = String::new();
    let mut reading = BufReader::new(reading).take(REQUEST_OCTETS_MAX);
    match tokio::time::timeout(REQUEST_PATIENCE, reading.read_line(&mut text)).await {
        Ok(read) => read?,
        Err(_) => return Ok(()),
    };
    let request: Request = match serde_json::from_str(&text) {
        Ok(request) => request,
        Err(error) => return say(&mut writing, &Line::Fault(unknown_operation(&text, &error))).await,
    };
    if let Operation::ActivityFollow { filter, .. } = &request.operation {
        let filter = filter.clone();
        return follow(&mut writing, executor, request.operation, filter, shutdown).await;
    }
    let line = match executor.run(request.operation, operator()).await {
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

async fn follow<S: Store>(
    writing: &mut (impl AsyncWriteExt + Unpin),
    executor: &Arc<Executor<S>>,
    operation: Operation,
    filter: ActivityFilter,
    shutdown: &Shutdown,
) -> std::io::Result<()> {
    // the cursor first: what happens between the two is shown twice rather than not at all
    let mut cursor = match blocking(executor, |store| store.activity_cursor()).await {
        Ok(cursor) => cursor,
        Err(fault) => return say(writing, &Line::Fault(fault)).await,
    };
    let line = match executor.run(operation, operator()).await {
        Ok(answer) => Line::Answer(Box::new(answer)),
        Err(fault) => return say(writing, &Line::Fault(fault)).await,
    };
    say(writing, &line).await?;
    while !shutdown.is_begun() {
        tokio::select! {
            () = executor.store.activity_changed(cursor, FOLLOW_PATIENCE) => {}
            () = shutdown.begun() => break,
        }
        let wanted = filter.clone();
        match blocking(executor, move |store| store.activity_since(cursor, &wanted)).await {
            Ok((rows, next)) => {
                cursor = next;
                let rows: Vec<_> = rows.iter().map(ActivityView::from).collect();
                // an empty line finds out whether anybody still listens
                let line = if rows.is_empty() { Line::Idle } else { Line::Answer(Box::new(Answer::Activity(rows))) };
                say(writing, &line).await?;
            }
            Err(fault) => return say(writing, &Line::Fault(fault)).await,
        }
    }
    Ok(())
}

async fn blocking<S: Store, T: Send + 'static>(
    executor: &Arc<Executor<S>>,
    read: impl FnOnce(&S) -> Result<T, relay::store::StoreError> + Send + 'static,
) -> Result<T, Fault> {
    let store = Arc::clone(&executor.store);
    let done = tokio::task::spawn_blocking(move || read(&store)).await;
    done.map_err(|_| Fault::unavailable("The command broke off inside.", "The log says more."))?.map_err(Fault::from)
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
    /// The next answer; none where the relay ended the conversation.
    ///
    /// # Errors
    /// The fault that it answered with, or that it went away.
    pub async fn next(&mut self) -> Result<Option<Answer>, Fault> {
        loop {
            let line = self.reading.next_line().await.map_err(|error| {
                Fault::unavailable(
                    format!("The relay went away: {error}."),
                    "See whether it runs; `envoi doctor` helps.",
                )
            })?;
            let Some(line) = line else { return Ok(None) };
            match serde_json::from_str(&line) {
                Ok(Line::Answer(answer)) => return Ok(Some(*answer)),
                Ok(Line::Fault(fault)) => return Err(fault),
                Ok(Line::Idle) => {}
                Err(error) => {
                    return Err(Fault::unavailable(
                        format!("The relay's answer was not understood: {error}."),
                        "Run the command from the same release as the relay.",
                    ));
                }
            }
        }
    }
}
