//! A relay of its own to measure: a folder, a certificate, a configuration, users, the release binary.

use anyhow::{Context, ensure};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::source::{Seat, User};
use crate::watch::{Group, Watch};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often is looked whether it has come about.
const LOOK: Duration = Duration::from_millis(5);
/// Lines of the log of a server that did not start.
const LINES_SHOWN: usize = 10;
/// Users of one account, sessions of one user and of one address: half of what the default limits let in, so that a
/// session that comes again is not refused for the one before, whose end the server has not noticed yet.
const ACCOUNT_USERS: [&str; 2] = ["first", "second"];
const USER_SESSIONS: usize = 5;
const ADDRESS_SESSIONS: usize = 50;

/// A folder with all that a relay needs; may be used again.
pub(crate) struct House {
    pub(crate) folder: PathBuf,
    binary: PathBuf,
    pub(crate) sink: SocketAddr,
    tls: SocketAddr,
    starttls: SocketAddr,
    http: SocketAddr,
}

impl House {
    /// Makes the folder where it is not there, and chooses ports that are free now.
    pub(crate) fn new(folder: &Path, binary: &Path) -> anyhow::Result<House> {
        ensure!(binary.exists(), "there is no {}: `cargo build --release -p envoi` makes it", binary.display());
        std::fs::create_dir_all(folder)?;
        if !folder.join("cert.pem").exists() {
            certificate(folder)?;
        }
        let [tls, starttls, http, sink] = free_ports()?;
        Ok(House { folder: folder.to_owned(), binary: binary.to_owned(), sink, tls, starttls, http })
    }

    /// Writes the configuration: everything as it is by default but ports, folder, the way of the mail, and the automatic brakes,
    /// which a load that nobody was used to would put on.
    pub(crate) fn configure(&self, delivery: &str) -> anyhow::Result<()> {
        const BRAKES: &str = "[limits]\nbrake_volume_factor = 0\nbrake_bounce_percent = 0\n";
        let House { tls, starttls, http, .. } = self;
        let delivery = match delivery.contains("[limits]\n") {
            true => delivery.replacen("[limits]\n", BRAKES, 1),
            false => format!("{BRAKES}\n{delivery}"),
        };
        let text = format!(
            "hostname = \"localhost\"\ndata_dir = \"data\"\n\n[submission]\nstarttls = [\"{starttls}\"]\n\
             tls = [\"{tls}\"]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n\n[http]\nlisten = [\"{http}\"]\n\n{delivery}"
        );
        Ok(std::fs::write(self.folder.join("envoi.toml"), text)?)
    }

    /// All mail goes to the sink. Keys that were never seen in DNS sign only where `signed`.
    pub(crate) fn to_sink(&self, signed: bool) -> String {
        let (host, port) = (self.sink.ip(), self.sink.port());
        format!(
            "[[delivery.route]]\ndomain = \"*\"\nhost = \"{host}\"\nport = {port}\ntls = \"none\"\n\
             sign_unpublished = {signed}\n"
        )
    }

    /// As many users as so many sessions take under the default limits; made where they are not there yet.
    pub(crate) fn seats(&self, sessions: usize) -> anyhow::Result<Vec<Seat>> {
        let users = self.users(sessions.div_ceil(USER_SESSIONS))?;
        let users: Vec<_> = users.into_iter().map(Arc::new).collect();
        let seat = |session: usize| Seat {
            user: Arc::clone(&users[session / USER_SESSIONS]),
            address: Some(address(session / ADDRESS_SESSIONS)),
        };
        Ok((0..sessions).map(seat).collect())
    }

    fn users(&self, count: usize) -> anyhow::Result<Vec<User>> {
        let file = self.folder.join("users.json");
        let mut users: Vec<User> = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => Vec::new(),
        };
        while users.len() < count {
            let number = users.len() / ACCOUNT_USERS.len();
            let name = format!("a{number}.load.test");
            let account = self.ask(&["account", "add", "--name", &name])?["id"].to_string();
            self.ask(&["domain", "add", "--account", &account, &name])?;
            self.ask(&["domain", "vouch", &name])?;
            for title in ACCOUNT_USERS {
                let user = self.ask(&["smtp-user", "add", "--domain", &name, "--name", title])?;
                let text = |field: &str| user[field].as_str().unwrap_or_default().to_owned();
                let sender = format!("app@{name}");
                users.push(User { username: text("username"), password: text("password"), sender });
            }
        }
        std::fs::write(file, serde_json::to_vec(&users)?)?;
        Ok(users)
    }

    /// Runs a command of the relay; its JSON.
    pub(crate) fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let config = self.folder.join("envoi.toml");
        let mut command = Command::new(&self.binary);
        let output = command.arg("--config").arg(config).arg("--json").args(arguments).output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Puts so many rows of activity there, once for each folder.
    pub(crate) fn fill_rows(&self, filler: &Path, rows: u64) -> anyhow::Result<()> {
        let mark = self.folder.join("rows");
        if std::fs::read_to_string(&mark).is_ok_and(|text| text == rows.to_string()) {
            return Ok(());
        }
        crate::start::fill_in(filler, &self.folder.join("data"), &["rows", &rows.to_string()])?;
        Ok(std::fs::write(mark, rows.to_string())?)
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn serve(&self) -> anyhow::Result<Running> {
        let log = self.folder.join("log");
        let begun = Instant::now();
        let group = Group::new("envoi");
        let child = group
            .command(&self.binary)
            .arg("--config")
            .arg(self.folder.join("envoi.toml"))
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut running = Running { child, ready_after: Duration::ZERO, http: self.http, log, group };
        while !running.says("ready hostname")? {
            let ended = running.child.try_wait()?;
            ensure!(ended.is_none() && begun.elapsed() < PATIENCE, "it did not start:{}", end_of(&running.log));
            std::thread::park_timeout(LOOK);
        }
        running.ready_after = begun.elapsed();
        Ok(running)
    }

    /// Where clients go.
    pub(crate) fn server(&self, port: crate::work::Port) -> SocketAddr {
        match port {
            crate::work::Port::Tls => self.tls,
            crate::work::Port::Starttls => self.starttls,
        }
    }
}

/// A running relay; killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// From the start of the process to its being ready.
    pub(crate) ready_after: Duration,
    http: SocketAddr,
    log: PathBuf,
    group: Group,
}

impl Running {
    pub(crate) fn watch(&self) -> Watch {
        Watch::new(vec![self.child.id()], self.group.folder())
    }

    /// Whether its log says this.
    pub(crate) fn says(&self, what: &str) -> anyhow::Result<bool> {
        Ok(std::fs::read_to_string(&self.log)?.contains(what))
    }

    /// Octets of the log that activity has yet to read.
    pub(crate) fn lag(&self) -> anyhow::Result<u64> {
        self.metric("envoi_activity_lag_octets")
    }

    /// A figure of its metrics, with its labels.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<u64> {
        metric(self.http, name)
    }

    /// Ends it as an init system does.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        ensure!(Command::new("kill").args(["-s", "TERM", &pid]).status()?.success(), "kill -s TERM {pid}");
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of a gauge.
pub(crate) fn metric(http: SocketAddr, name: &str) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(http)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("{name} is not served"))?.parse()?)
}

/// One of loopback's addresses.
pub(crate) fn address(number: usize) -> IpAddr {
    let number = u8::try_from(number).unwrap_or(u8::MAX).saturating_add(2);
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, number))
}

/// Ports that are free now, each another one: all are held until the last is found, or the system may give one twice.
pub(crate) fn free_ports<const COUNT: usize>() -> anyhow::Result<[SocketAddr; COUNT]> {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut ports, mut held) = ([nowhere; COUNT], Vec::new());
    for port in &mut ports {
        let listener = TcpListener::bind(nowhere)?;
        *port = listener.local_addr()?;
        held.push(listener);
    }
    Ok(ports)
}

/// The end of a log, to show why its server is not there.
fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_else(|error| error.to_string());
    let lines: Vec<&str> = text.lines().collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(LINES_SHOWN))
        .fold(String::new(), |shown, line| shown + "\n    " + line)
}

/// Makes a certificate with its key, P-256, in a folder.
pub(crate) fn certificate(folder: &Path) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    std::fs::write(folder.join("cert.pem"), made.cert.pem())?;
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{end_of, free_ports};
    use std::collections::BTreeSet;

    #[test]
    fn no_port_is_given_twice() {
        let ports: BTreeSet<_> = free_ports::<500>().unwrap().into_iter().collect();
        assert_eq!(ports.len(), 500);
    }

    #[test]
    fn the_end_of_a_log_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert!(end_of(&log).contains("No such file"));
        let lines: Vec<String> = (0..12).map(|number| format!("line {number}")).collect();
        std::fs::write(&log, lines.join("\n")).unwrap();
        let shown = end_of(&log);
        assert!(shown.starts_with("\n    line 2\n") && shown.ends_with("line 11"), "{shown}");
    }
}
