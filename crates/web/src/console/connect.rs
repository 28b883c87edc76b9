//! What to enter in the application that sends: server, port, encryption, and pieces ready for many applications.

use askama::Template;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::{Operation, Part};
use relay::service::view::{PortsView, SmtpUserView};

use super::help::Numbers;
use super::listing::asked;
use super::page::{Failure, Page, shown};
use super::snippets::{Filled, Snippet};
use super::visit::Visit;
use super::{For, Route, show};

/// The port that everybody knows for STARTTLS, and the one for TLS from the first octet (RFC 6409, RFC 8314).
const WELL_KNOWN: (u16, u16) = (587, 465);

/// SMTP users to choose from; others are reached from their own pages.
const USERS_SHOWN: usize = 200;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/connection-settings", For::Account(Need::Power(Power::Domains)), page)]
}

/// How an application connects.
pub(super) struct Connection {
    pub(super) server: String,
    pub(super) port: u16,
    pub(super) is_starttls: bool,
    /// What applications call the encryption.
    pub(super) encryption: &'static str,
    /// The port with TLS from the first octet, where there is one beside.
    pub(super) other: Option<u16>,
    /// Further ports, for hosts that block these: with STARTTLS, with TLS.
    pub(super) further: (String, String),
}

fn preferred(ports: &[u16], known: u16) -> Option<u16> {
    if ports.contains(&known) { Some(known) } else { ports.first().copied() }
}

impl Connection {
    /// What is recommended of what is open.
    pub(super) fn new(server: &str, ports: &PortsView) -> Connection {
        let (starttls, tls) = (preferred(&ports.starttls, WELL_KNOWN.0), preferred(&ports.tls, WELL_KNOWN.1));
        let further = |ports: &[u16], but: Option<u16>| {
            let further = ports.iter().filter(|port| Some(**port) != but);
            further.map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        Connection {
            server: server.to_owned(),
            port: starttls.or(tls).unwrap_or(WELL_KNOWN.0),
            is_starttls: starttls.is_some() || tls.is_none(),
            encryption: if starttls.is_some() || tls.is_none() { "STARTTLS" } else { "SSL/TLS" },
            other: tls.filter(|_| starttls.is_some()),
            further: (further(&ports.starttls, starttls), further(&ports.tls, tls)),
        }
    }
}

/// An SMTP user to choose.
pub(super) struct Choice {
    pub(super) id: u64,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// The SMTP users to choose from, not too many, and the one that is chosen.
pub(super) fn choices(users: &[SmtpUserView], chosen: Option<&SmtpUserView>) -> Vec<Choice> {
    let is_chosen = |user: &SmtpUserView| chosen.is_some_and(|chosen| chosen.id == user.id);
    let offered = users.iter().enumerate().filter(|(place, user)| *place < USERS_SHOWN || is_chosen(user));
    let choice = |(_, user): (usize, &SmtpUserView)| Choice {
        id: user.id,
        label: format!("{} ({})", user.name, user.domain),
        is_chosen: is_chosen(user),
    };
    offered.map(choice).collect()
}

#[derive(Template)]
#[template(path = "connection-settings.html")]
struct SettingsPage {
    page: Page,
    connection: Connection,
    users: Vec<Choice>,
    chosen: Option<(u64, String)>,
    snippets: Vec<Snippet>,
    numbers: Numbers,
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    let listed = Operation::SmtpUserList { account: Some(visit.account_number()?), domain: None, part: Part::WHOLE };
    let users: Vec<SmtpUserView> = visit.ask(listed).await?;
    let wanted = asked(&visit, "user").and_then(|user| user.parse::<u64>().ok());
    let chosen = users.iter().find(|user| Some(user.id) == wanted).or_else(|| users.first());
    let settings = &visit.console.settings;
    let connection = Connection::new(&settings.hostname, &settings.ports);
    let demonstration = settings.demonstration.as_ref();
    let filled = match chosen {
        Some(user) => Filled::of_user(visit.words(), &connection, user, None),
        None => Filled::of_nobody(visit.words(), &connection),
    };
    Ok(shown(&SettingsPage {
        page: visit.page(),
        users: choices(&users, chosen),
        chosen: chosen.map(|user| (user.id, user.username.clone())),
        snippets: filled.trusting(demonstration).all(),
        numbers: Numbers::of(visit.words(), &settings.limits),
        connection,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_port_is_recommended_where_it_is_open() {
        let connection = Connection::new("a", &PortsView { starttls: vec![587, 2525], tls: vec![465, 2465] });
        assert_eq!((connection.port, connection.encryption, connection.other), (587, "STARTTLS", Some(465)));
        assert_eq!(connection.further, ("2525".to_owned(), "2465".to_owned()));
        let connection = Connection::new("a", &PortsView { starttls: vec![], tls: vec![2465] });
        assert_eq!((connection.port, connection.encryption, connection.other), (2465, "SSL/TLS", None));
    }
}
