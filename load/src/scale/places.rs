//! What there is to ask for: every page that is reached by links, every list of the API's document, and searches of each kind.

use anyhow::Context;
use serde_json::Value;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::people::Person;

/// A day of an account's activity as a file.
pub(super) const EXPORT: &str = "/activity/export.csv?period=yesterday";

/// Searches of the console.
const SEARCHES: &[&str] = &[
    "/activity?to=customer1",
    "/activity?to=%40domain7.example",
    "/activity?to=nobody%40nowhere.example",
    "/activity?from=shop1%40",
    "/activity?subject=shipped",
    "/activity?subject=xylophone",
    "/activity?status=hard",
    "/activity?status=deferred",
    "/activity?period=yesterday&status=soft",
    "/activity?status=delivered&period=7",
];

/// The same of the API.
const LOOKUPS: &[&str] = &[
    "/activity?recipient=customer1",
    "/activity?recipient=%40domain7.example",
    "/activity?recipient=nobody%40nowhere.example",
    "/activity?sender=shop1%40",
    "/activity?subject=shipped",
    "/activity?subject=xylophone",
    "/activity?status=hard_bounce",
    "/activity?status=deferred",
    "/activity?limit=1000",
];

/// Searches of the operator's pages.
const OPERATORS: &[&str] =
    &["/operator/accounts?q=Townsman+00777", "/operator/accounts?q=d777.town", "/operator/accounts?q=xylophone"];

/// Links that lead out, or do something else than show, and what takes its time because it asks the world (checks).
const NOT_FOLLOWED: &[&str] = &[
    "/assets/",
    "/sign-out",
    "/activity/export",
    "/connections/export",
    "/operator/connections/export",
    "/operator/checks",
];

/// One of each kind.
pub(super) struct Place {
    /// Its path without what differs between those of its kind.
    pub(super) name: String,
    pub(super) path: String,
}

impl Place {
    fn of(path: &str) -> Place {
        Place { name: path.to_owned(), path: path.to_owned() }
    }
}

/// Everything that somebody can ask for.
///
/// # Errors
/// A page is not there.
pub(super) fn of(person: &Person) -> anyhow::Result<Vec<Place>> {
    if person.is_program { lists(person) } else { pages(person) }
}

/// The pages that links lead to, one of each kind.
fn pages(person: &Person) -> anyhow::Result<Vec<Place>> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let start = if person.account.is_some() { "/" } else { "/operator" };
    let mut left = VecDeque::from([start.to_owned()]);
    found.insert(kind(start), start.to_owned());
    while let Some(path) = left.pop_front() {
        let answer = person.get(&path)?;
        if answer.status != 200 {
            found.remove(&kind(&path));
            continue;
        }
        for link in links(&answer.body) {
            let kind = kind(&link);
            if let Entry::Vacant(free) = found.entry(kind) {
                free.insert(link.clone());
                left.push_back(link);
            }
        }
    }
    let searches = if person.account.is_some() { SEARCHES } else { OPERATORS };
    let mut places: Vec<_> = found.into_iter().map(|(name, path)| Place { name, path }).collect();
    places.extend(searches.iter().map(|path| Place::of(path)));
    Ok(places)
}

/// The links of a page that stay with the relay.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let own = links.filter(|link| link.starts_with('/') && !NOT_FOLLOWED.iter().any(|not| link.starts_with(not)));
    own.map(|link| link.replace("&amp;", "&").split('#').next().unwrap_or_default().to_owned()).collect()
}

/// What pages of one kind have in common: numbers, ids and names are left out, and so is what is searched for.
fn kind(link: &str) -> String {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let is_id =
        |part: &&str| part.len() > 20 || part.contains('.') || part.starts_with(|letter: char| letter.is_ascii_digit());
    let path: Vec<_> =
        path.split('/').map(|part| if is_id(&part) || part.starts_with("town") { "…" } else { part }).collect();
    let mut keys: Vec<_> =
        query.split('&').filter_map(|pair| pair.split('=').next()).filter(|key| !key.is_empty()).collect();
    keys.sort_unstable();
    keys.dedup();
    let path = path.join("/");
    if keys.is_empty() { path } else { format!("{path}?{}", keys.join("&")) }
}

/// The routes that look, as the API's document names them.
fn lists(person: &Person) -> anyhow::Result<Vec<Place>> {
    let document = person.get("/api/v1/openapi.json")?;
    let document: Value = serde_json::from_str(&document.body)?;
    let mut places = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        if item["get"].is_null() || path.ends_with("/checks") {
            continue;
        }
        let path = filled(path, person);
        // one that names what is not there shows nothing of how long it takes to find
        if person.get(&path)?.status == 200 {
            places.push(Place::of(&path));
        }
    }
    places.extend(LOOKUPS.iter().map(|path| Place::of(&format!("/api/v1{path}"))));
    Ok(places)
}

/// A path with what it names.
fn filled(path: &str, person: &Person) -> String {
    let account = person.account.unwrap_or(3).to_string();
    [
        ("{account}", account.as_str()),
        ("{domain}", "d0.town.test"),
        ("{user}", "town000000000000"),
        ("{plan}", "1"),
        ("{row}", "1"),
        ("{webhook}", "1"),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

#[cfg(test)]
mod tests {
    use super::{kind, links};

    #[test]
    fn pages_of_one_kind_are_one() {
        assert_eq!(kind("/operator/accounts/17?page=2&q=a"), "/operator/accounts/…?page&q");
        assert_eq!(kind("/domains/example.com/delete"), "/domains/…/delete");
        assert_eq!(kind("/users/town000000000012"), "/users/…");
        assert_eq!(kind("/activity"), "/activity");
    }

    #[test]
    fn links_that_lead_out_are_none() {
        let page = "<a href=\"/a?b=1&amp;c=2#d\"><a href=\"https://x/\"><link href=\"/assets/x.css\">";
        assert_eq!(links(page), ["/a?b=1&c=2"]);
    }
}
