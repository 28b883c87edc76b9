//! `[[delivery.route]]`: what a route says, and what the rest of the file and its password say against it.

use relay::route::{Route, RouteTls, Routes};
use smtp::client::Login;
use smtp::secret::Secret;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::{Table, Tree};
use super::{Config, Problem};

/// One route of the file.
#[derive(Clone, Debug)]
pub struct RouteTable {
    /// The route; the password of its login is not read yet.
    pub route: Route,
    /// The file of that password; there where it logs in.
    pub password_file: Option<PathBuf>,
}

/// What a table says.
pub(super) fn read(table: &Table, folder: &Path) -> RouteTable {
    let username = Some(table.text("username")).filter(|username| !username.is_empty());
    let (username, password_file) = username.zip(table.path("password_file", folder)).unzip();
    let in_clear = table.flag("password_in_clear");
    let login = username.map(|username| Login { username, password: Secret::new(Vec::new()), in_clear });
    let route = Route {
        pattern: table.text("domain"),
        host: table.text("host"),
        port: table.number("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(25),
        tls: match table.text("tls").as_str() {
            "none" => RouteTls::None,
            "encrypted" => RouteTls::Encrypted,
            "required" => RouteTls::Required,
            _ => RouteTls::Opportunistic,
        },
        implicit_tls: table.flag("implicit_tls"),
        login,
        retry_for: table.number("retry_for").map(Duration::from_secs),
        sign_unpublished: table.flag("sign_unpublished"),
    };
    RouteTable { route, password_file }
}

/// What routes say against one another, against the rest of the file, and against themselves.
pub(super) fn contradictions(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let tables = tree.repeated("delivery.route");
    let own: Vec<_> = config.submission.starttls.iter().chain(&config.submission.tls).collect();
    let mut everything = None;
    for (RouteTable { route, .. }, table) in config.delivery.routes.iter().zip(tables) {
        if let Some(line) = everything {
            problems.push(Problem::warning(
                table.line_of("domain"),
                "delivery.route.domain",
                format!("is never reached: the route at line {line} takes every domain"),
                "The first match wins: put this route above that one.",
            ));
        }
        if route.pattern == "*" && everything.is_none() {
            everything = Some(table.line);
        }
        let here = route.host == config.hostname
            || route.host == "localhost"
            || route.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback() || own.iter().any(|o| o.ip() == ip));
        if here && own.iter().any(|socket| socket.port() == route.port) {
            problems.push(Problem::fault(
                table.line_of("port"),
                "delivery.route.port",
                format!("{}:{} is this relay's own submission port", route.host, route.port),
                "Name the host and port of the next server.",
            ));
        }
        login(route, table, problems);
    }
    let routes = config.delivery.routes.iter().map(|table| table.route.clone()).collect();
    if let Err(error) = Routes::new(routes) {
        let line = tables.first().map_or(1, |table| table.line);
        problems.push(Problem::fault(line, "delivery.route", error.to_string(), ""));
    }
}

/// Whether a login is whole, and goes to whom it is meant for.
fn login(route: &Route, table: &Table, problems: &mut Vec<Problem>) {
    match (table.value("username").is_some(), table.value("password_file").is_some()) {
        (true, true) | (false, false) => {}
        (has_username, _) => {
            let key = if has_username { "username" } else { "password_file" };
            let what = "stands alone: a login is a username and a password";
            let remedy = "Write both `username` and `password_file`, or neither.";
            problems.push(Problem::fault(table.line_of(key), format!("delivery.route.{key}"), what, remedy));
        }
    }
    let is_unchecked = matches!(route.tls, RouteTls::Opportunistic | RouteTls::Encrypted);
    if route.login.is_some() && is_unchecked && !route.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        problems.push(Problem::warning(
            table.line_of("tls"),
            "delivery.route.tls",
            "leaves the certificate unchecked: whoever stands in between gets the password",
            "Write tls = \"required\" where the next hop has a certificate for its name (`ca_file` names an authority of your own).",
        ));
    }
}

/// What is wrong with the files of passwords.
pub(super) fn files(config: &Config, tree: &Tree, problems: &mut Vec<Problem>) {
    let tables = tree.repeated("delivery.route");
    for (RouteTable { password_file, .. }, table) in config.delivery.routes.iter().zip(tables) {
        let Some(file) = password_file else { continue };
        if let Err(what) = crate::routes::password(file) {
            let remedy = "Write the password on the first line of a file that the user who runs the relay can read.";
            problems.push(Problem::fault(table.line_of("password_file"), "delivery.route.password_file", what, remedy));
        }
    }
}
