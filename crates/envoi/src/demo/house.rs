//! The demonstration's relay: a configuration written for it, started, with an account, a domain and an SMTP user.

use relay::credential::SecretText;
use relay::service::operation::{Answer, Operation, Part};
use relay::service::view::CredentialView;
use relay::service::{Fault, Identity, RulesChange};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use store::embedded::Embedded;

use net::clock::{Clock, SystemClock};
use web::console::Demonstration;

use super::authority::{self, Files};
use super::capture::Capture;
use super::client::Encryption;
use super::folder::Folder;
use crate::config;
use crate::wire::{Relay, listen_fault};

const DOMAIN: &str = "demo.example";
const ACCOUNT: &str = "Demonstration";
/// Within its folder, where the mail is that was delivered.
const MAIL: &str = "mail";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Everything that runs.
pub(super) struct House {
    pub(super) folder: Folder,
    pub(super) files: Files,
    pub(super) capture: Capture,
    pub(super) credential: CredentialView,
    relay: Relay,
}

impl House {
    /// Makes and starts everything.
    pub(super) async fn open(dir: Option<&Path>, ports: (u16, u16)) -> Result<House, Fault> {
        for port in [ports.0, ports.1] {
            is_free(port)?;
        }
        let folder = Folder::open(dir)?;
        let trouble = |what: &str, error: &dyn std::fmt::Display| {
            Fault::unavailable(format!("{what}: {error}."), "Name another folder with `--dir FOLDER`.")
        };
        let files = authority::make(folder.path(), SystemClock::new().now())
            .map_err(|error| trouble("The certificate cannot be made", &error))?;
        let mail = folder.path().join(MAIL);
        let capture = Capture::keeping_in(super::capture::MESSAGES_KEPT, Some(&mail))
            .await
            .map_err(|error| trouble("The receiving server cannot start", &error))?;
        let file = folder.path().join("envoi.toml");
        std::fs::write(&file, configuration(ports, capture.address()))
            .map_err(|error| trouble("The configuration cannot be written", &error))?;
        let mut config = config::load(&file).map_err(|findings| trouble("The configuration is not good", &findings))?;
        config.demonstration = Some(Demonstration {
            authority: files.authority.display().to_string(),
            pem: std::fs::read_to_string(&files.authority)
                .map_err(|error| trouble("The certificate cannot be read", &error))?,
            mail: mail.display().to_string(),
        });
        let relay = Relay::start(&config).await?;
        let mut house = House { folder, files, capture, credential: nobody(), relay };
        match house.furnish().await {
            Ok(credential) => {
                house.credential = credential;
                house.credential.server = HERE.to_string();
                Ok(house)
            }
            Err(fault) => {
                house.close().await;
                Err(fault)
            }
        }
    }

    /// The account, its domain and a new SMTP user. A folder used before has the first two already.
    async fn furnish(&self) -> Result<CredentialView, Fault> {
        let Answer::Accounts(accounts) = self.ask(Operation::AccountList { search: None, part: Part::WHOLE }).await?
        else {
            return Err(strange());
        };
        let account = match accounts.into_iter().find(|account| account.name == ACCOUNT) {
            Some(account) => account.id,
            None => match self
                .ask(Operation::AccountAdd {
                    name: ACCOUNT.into(),
                    without_plan: false,
                    time_zone: None,
                    language: None,
                })
                .await?
            {
                Answer::Account(account) => account.id,
                _ => return Err(strange()),
            },
        };
        let Answer::Domains(domains) =
            self.ask(Operation::DomainList { account: Some(account), part: Part::WHOLE }).await?
        else {
            return Err(strange());
        };
        if domains.is_empty() {
            self.ask(Operation::DomainAdd { account, name: DOMAIN.into() }).await?;
            self.ask(Operation::DomainVouch { domain: DOMAIN.into(), vouched: true }).await?;
        }
        let Answer::SmtpUsers(users) =
            self.ask(Operation::SmtpUserList { account: Some(account), domain: None, part: Part::WHOLE }).await?
        else {
            return Err(strange());
        };
        let operation = match users.first() {
            Some(user) => Operation::SmtpUserReset { user: user.username.clone() },
            None => Operation::SmtpUserAdd {
                domain: DOMAIN.into(),
                name: "Demonstration".into(),
                rules: RulesChange::default(),
            },
        };
        match self.ask(operation).await? {
            Answer::Credential(credential) => Ok(credential),
            _ => Err(strange()),
        }
    }

    pub(super) async fn ask(&self, operation: Operation) -> Result<Answer, Fault> {
        self.relay.executor.run(operation, Identity::operator("demo")).await
    }

    pub(super) fn store(&self) -> Arc<Embedded> {
        Arc::clone(&self.relay.executor.store)
    }

    /// The submission address with this encryption.
    pub(super) fn address(&self, encryption: Encryption) -> SocketAddr {
        let ports = &self.relay.ports;
        let list = if encryption == Encryption::Tls { &ports.tls } else { &ports.starttls };
        list.first().copied().unwrap_or(SocketAddr::new(HERE, 0))
    }

    /// Where metrics and health are.
    pub(super) fn http(&self) -> Option<SocketAddr> {
        self.relay.http.first().copied()
    }

    /// Where the first member of the console comes in.
    pub(super) fn console(&self) -> Option<&str> {
        self.relay.first_link.as_deref()
    }

    /// Where the API is served.
    pub(super) fn api(&self) -> Option<SocketAddr> {
        self.relay.api.first().copied()
    }

    /// Stops everything; the folder goes if it was made for this.
    pub(super) async fn close(self) {
        let House { folder, relay, .. } = self;
        relay.stop().await;
        drop(folder);
    }
}

fn is_free(port: u16) -> Result<(), Fault> {
    let address = SocketAddr::new(HERE, port);
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => {
            let mut fault = listen_fault(address, &error);
            fault.remedy = "Choose others, or 0 for any that is free: \
                            `envoi demo --starttls-port 3587 --tls-port 3465`."
                .to_owned();
            Err(fault)
        }
    }
}

fn configuration((starttls, tls): (u16, u16), capture: SocketAddr) -> String {
    format!(
        r#"# Written by `envoi demo`.
hostname = "localhost"
data_dir = "data"

[submission]
starttls = ["{HERE}:{starttls}"]
tls = ["{HERE}:{tls}"]
certificate = "cert.pem"
key = "key.pem"

# all mail goes to the demonstration's own receiving server
[[delivery.route]]
domain = "*"
host = "{}"
port = {}
tls = "none"
sign_unpublished = true

[http]
listen = ["{HERE}:0"]

[api]
listen = ["{HERE}:0"]

[console]
listen = ["{HERE}:0"]

[store]
segment = "4MB"
reserve = "1MB"
disk_free_min = "16MB"
"#,
        capture.ip(),
        capture.port()
    )
}

fn nobody() -> CredentialView {
    CredentialView {
        id: 0,
        name: String::new(),
        domain: String::new(),
        username: String::new(),
        password: SecretText::default(),
        server: String::new(),
        ports: relay::service::view::PortsView { starttls: Vec::new(), tls: Vec::new() },
    }
}

fn strange() -> Fault {
    Fault::unavailable("The relay answered something else than was asked.", "Please report it.")
}
