//! A relay of its own for each test: a folder, a certificate, a configuration, the real binary.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod api;
pub mod browser;
pub mod internet;
pub mod load;

use envoi::demo::capture::Capture;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A name server that knows nothing: SERVFAIL to whatever it is asked. One for all tests of the process.
pub fn name_server() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut message = [0; 512];
            while let Ok((octets, from)) = socket.recv_from(&mut message) {
                // the query as it came, turned into a response (RFC 1035 §4.1.1)
                message[2] |= 0x80;
                message[3] = 0x82;
                let _ = socket.send_to(&message[..octets], from);
            }
        });
        address
    })
}

pub const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
pub fn envoi() -> Command {
    Command::new(env!("CARGO_BIN_EXE_envoi"))
}

/// A folder with all that a relay needs.
pub struct House {
    pub folder: tempfile::TempDir,
    pub authority: String,
}

impl House {
    /// Certificate and configuration; mail for every domain goes to this port of loopback.
    pub fn new(next_hop: u16) -> House {
        let folder = tempfile::tempdir().unwrap();
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::default();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.path().join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        let house = House { folder, authority: authority_pem };
        house.configure(next_hop);
        house
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("envoi.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn configure(&self, next_hop: u16) {
        let text = format!(
            r#"
hostname = "localhost"
data_dir = "data"
[submission]
starttls = ["127.0.0.1:0"]
tls = ["127.0.0.1:0"]
certificate = "cert.pem"
key = "key.pem"
[limits]
api_requests_per_minute = 0
console_requests_per_minute = 0
user_sessions_max = 100
account_sessions_max = 100
[delivery]
name_servers = ["{}"]
[[delivery.route]]
domain = "*"
host = "127.0.0.1"
port = {next_hop}
tls = "none"
sign_unpublished = true
[http]
listen = ["127.0.0.1:0"]
[api]
listen = ["127.0.0.1:0"]
[console]
listen = ["127.0.0.1:0"]
[log]
format = "json"
[store]
segment = "4MB"
reserve = "1MB"
disk_free_min = "16MB"
"#,
            name_server()
        );
        std::fs::write(self.config(), text).unwrap();
    }

    /// Runs a command on this relay.
    pub fn run(&self, arguments: &[&str]) -> Output {
        envoi().arg("--config").arg(self.config()).args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that has to go well; its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// As [`House::json`], of a command that reads this.
    pub fn json_of(&self, arguments: &[&str], input: &str) -> Value {
        let path = self.config().with_file_name("input");
        std::fs::write(&path, input).unwrap();
        let mut command = envoi();
        command.arg("--config").arg(self.config()).arg("--json").args(arguments);
        let output = command.stdin(std::fs::File::open(path).unwrap()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that has to fail; the error that it tells as JSON.
    pub fn error(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let told: Value = serde_json::from_slice(&output.stderr).unwrap();
        told["error"].clone()
    }

    /// An account, a vouched domain `example.com` and an SMTP user: its username and password.
    pub fn furnish(&self) -> Login {
        let account = self.json(&["account", "add", "--name", "Shop"])["id"].to_string();
        self.json(&["domain", "add", "--account", &account, "example.com"]);
        self.json(&["domain", "vouch", "example.com"]);
        let user = self.json(&["smtp-user", "add", "--domain", "example.com", "--name", "Web shop"]);
        let text = |field: &str| user[field].as_str().unwrap().to_owned();
        Login { username: text("username"), password: text("password") }
    }

    /// Starts the server and waits until it is ready.
    pub fn serve(&self) -> Server {
        Server::start(self)
    }

    fn trust(&self) -> TlsParameters {
        let certificate = Certificate::from_pem(self.authority.as_bytes()).unwrap();
        TlsParameters::builder("localhost".into()).add_root_certificate(certificate).build_rustls().unwrap()
    }

    /// A session under TLS that has logged in.
    pub fn session(&self, port: u16, login: &Login) -> SmtpConnection {
        let (name, patience) = (ClientId::default(), Some(Duration::from_secs(20)));
        let connected = SmtpConnection::connect(("127.0.0.1", port), patience, &name, Some(&self.trust()), None);
        let mut session = connected.unwrap();
        let credentials = Credentials::new(login.username.clone(), login.password.clone());
        session.auth(&[Mechanism::Plain], &credentials).unwrap();
        session
    }

    /// A client of a port that trusts this house's authority.
    pub fn client(&self, port: Port, login: &Login) -> SmtpTransport {
        let tls = self.trust();
        let (number, tls) = match port {
            Port::StartTls(number) => (number, Tls::Required(tls)),
            Port::Tls(number) => (number, Tls::Wrapper(tls)),
        };
        SmtpTransport::builder_dangerous("127.0.0.1")
            .port(number)
            .tls(tls)
            .credentials(Credentials::new(login.username.clone(), login.password.clone()))
            .timeout(Some(Duration::from_secs(20)))
            .build()
    }
}

/// Username and password.
#[derive(Clone)]
pub struct Login {
    pub username: String,
    pub password: String,
}

#[derive(Clone, Copy, Debug)]
pub enum Port {
    StartTls(u16),
    Tls(u16),
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    lines: Receiver<Value>,
    pub starttls: u16,
    pub tls: u16,
    pub http: u16,
    pub api: u16,
    pub console: u16,
    pub zone: u16,
    pub reports: u16,
    pub unsubscribe: u16,
}

impl Server {
    fn start(house: &House) -> Server {
        let mut child = envoi()
            .arg("--config")
            .arg(house.config())
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                // after the test nobody listens any more
                let _ = sender.send(line);
            }
        });
        let (starttls, tls, http, api, console, zone, reports, unsubscribe) = (0, 0, 0, 0, 0, 0, 0, 0);
        let mut server = Server { child, lines, starttls, tls, http, api, console, zone, reports, unsubscribe };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let mut heard = Vec::new();
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("the server did not start: {heard:#?}");
            };
            let port = || line["address"].as_str().and_then(|address| address.rsplit(':').next()?.parse().ok());
            match line["message"].as_str() {
                Some("listening for submission with STARTTLS") => self.starttls = port().unwrap(),
                Some("listening for submission with TLS") => self.tls = port().unwrap(),
                Some("listening for metrics and health") => self.http = port().unwrap(),
                Some("listening for the API") => self.api = port().unwrap(),
                Some("listening for the console") => self.console = port().unwrap(),
                Some("listening for recipients who unsubscribe") => self.unsubscribe = port().unwrap(),
                Some("listening for questions about the zone") => self.zone = port().unwrap(),
                Some("listening for reports of other servers") => self.reports = port().unwrap(),
                Some("ready") => return,
                _ => {}
            }
            heard.push(line);
        }
    }

    /// What the link to be the first carries; it is printed when the relay is ready and nobody of the operator is there.
    pub fn first_token(&self) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if let Some((_, token)) = line.as_str().and_then(|line| line.split_once("/first-start?token=")) {
                return token.trim().to_owned();
            }
        }
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Ends it as an init system does; its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `check` gives something.
pub fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The receiving server, on a runtime of its own.
pub struct Hop {
    pub capture: Capture,
    runtime: tokio::runtime::Runtime,
}

impl Hop {
    pub fn start(kept: usize) -> Hop {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let capture = runtime.block_on(Capture::start(kept)).unwrap();
        Hop { capture, runtime }
    }

    pub fn port(&self) -> u16 {
        self.capture.address().port()
    }

    /// Waits for a message whose content has `part`.
    pub fn wait(&self, part: &str) -> std::sync::Arc<envoi::demo::capture::Captured> {
        let holds = |content: &[u8]| content.windows(part.len()).any(|window| window == part.as_bytes());
        let found = self.runtime.block_on(self.capture.wait(PATIENCE, |message| holds(&message.content)));
        found.unwrap_or_else(|| panic!("no message with `{part}` arrived"))
    }
}

/// Sends raw content; the server's last reply.
pub fn send(
    client: &SmtpTransport,
    from: &str,
    to: &[&str],
    content: &[u8],
) -> Result<String, lettre::transport::smtp::Error> {
    let to = to.iter().map(|address| address.parse().unwrap()).collect();
    let envelope = lettre::address::Envelope::new(Some(from.parse().unwrap()), to).unwrap();
    client.send_raw(&envelope, content).map(|response| response.message().collect::<Vec<_>>().join(" "))
}
