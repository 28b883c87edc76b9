//! Who looks: an operator, administrators of a large and of a small account, and programs with keys of theirs.

use anyhow::{Context, ensure};
use serde_json::Value;
use std::net::SocketAddr;

use super::asking::{Answer, ask};
use super::seed::Faces;
use crate::relay::House;

const PASSWORD: &str = "four+words+nobody+knows";

/// Somebody who is let in.
pub(super) struct Person {
    pub(super) name: String,
    /// Whose; none: the operator's.
    pub(super) account: Option<u64>,
    pub(super) is_program: bool,
    server: SocketAddr,
    fields: String,
}

impl Person {
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        ask(self.server, "GET", path, &self.fields, "")
    }
}

/// Everybody, made where they are not there yet.
pub(super) fn all(house: &House, faces: &Faces) -> anyhow::Result<Vec<Person>> {
    let large = number_of(house, "Townsman 00000")?;
    let small = number_of(house, "Townsman 00007")?;
    let whose = [("operator", None), ("large account", Some(large)), ("small account", Some(small))];
    let mut people = Vec::new();
    for (name, account) in whose {
        people.push(member(house, faces.console, name, account)?);
        people.push(program(house, faces.api, name, account)?);
    }
    Ok(people)
}

fn number_of(house: &House, name: &str) -> anyhow::Result<u64> {
    let accounts = house.ask(&["account", "list"])?;
    let accounts = accounts.as_array().context("a list of accounts")?;
    let found = accounts.iter().find(|account| account["name"] == name);
    found.and_then(|account| account["id"].as_u64()).with_context(|| format!("there is no account {name}"))
}

/// A member of each run has an address of its own.
fn member(house: &House, console: SocketAddr, name: &str, account: Option<u64>) -> anyhow::Result<Person> {
    let email = format!("{}.{}@people.test", name.replace(' ', "-"), unique());
    let number = account.map(|account| account.to_string());
    let mut line = vec!["member", "add", &email, "--name", "Somebody"];
    if let Some(number) = &number {
        line.extend(["--account", number, "--role", "administrator"]);
    }
    let made = house.ask(&line)?;
    let token = made["token"].as_str().context("a link to choose a password by")?;
    let fields = format!("Origin: http://{console}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    let entered = ask(console, "POST", "/choose-password", &fields, &format!("token={token}&password={PASSWORD}"))?;
    ensure!(entered.status == 303, "{email} is not let in: {} {}", entered.status, entered.body);
    let cookie = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).context("a cookie")?;
    let fields = format!("Cookie: {cookie}\r\n");
    Ok(Person { name: name.to_owned(), account, is_program: false, server: console, fields })
}

fn program(house: &House, api: SocketAddr, name: &str, account: Option<u64>) -> anyhow::Result<Person> {
    let number = account.map(|account| account.to_string());
    let title = format!("Scale {}", unique());
    let mut line = vec!["api-key", "add", "--name", &title, "--everything", "--read-only", "--expires", "7d"];
    if let Some(number) = &number {
        line.extend(["--account", number]);
    }
    let made: Value = house.ask(&line)?;
    let secret = made["secret"].as_str().context("a secret")?;
    let fields = format!("Authorization: Bearer {secret}\r\n");
    Ok(Person { name: format!("{name}, API"), account, is_program: true, server: api, fields })
}

fn unique() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}
