//! Who is at the page: the browser, its language, and whoever is signed in with it.

use axum::extract::{FromRequestParts, OriginalUri, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use relay::language::Language;
use relay::power::{Need, Scope};
use relay::service::door::{Browser, Visitor};
use relay::service::operation::{Answer, Operation};
use relay::service::view::AccountView;
use relay::service::{Fault, FaultKind};
use smtp::server::Secret;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::PoisonError;

use super::page::{Failure, Page};
use super::words::Words;
use super::{Console, For, Settings};
use crate::listen::{Peer, Scheme};

/// The cookie of a sign-in where browsers come by https: none but this very host sets or gets it (RFC 6265bis §4.1.3.2).
const COOKIE_SECURE: &str = "__Host-envoi";
/// The same where they do not, which is on loopback alone.
const COOKIE_CLEAR: &str = "envoi";
/// The cookies of a browser that somebody has signed in with before, likewise.
const KNOWN_SECURE: &str = "__Host-envoi-known";
const KNOWN_CLEAR: &str = "envoi-known";
/// How long it is known.
const KNOWN_SECONDS: u64 = 180 * 86_400;

fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { COOKIE_SECURE } else { COOKIE_CLEAR }
}

fn known_name(is_secure: bool) -> &'static str {
    if is_secure { KNOWN_SECURE } else { KNOWN_CLEAR }
}

/// The field that signs a browser in.
pub(super) fn cookie_of(settings: &Settings, is_secure: bool, token: &Secret) -> HeaderValue {
    let seconds = settings.limits.sign_in_days * 86_400;
    cookie(cookie_name(is_secure), is_secure, &String::from_utf8_lossy(token.expose()), seconds)
}

/// The field by which a browser is known from now on.
pub(super) fn known_of(is_secure: bool, known: &Secret) -> HeaderValue {
    cookie(known_name(is_secure), is_secure, &String::from_utf8_lossy(known.expose()), KNOWN_SECONDS)
}

/// The field that signs it out.
pub(super) fn cookie_gone(is_secure: bool) -> HeaderValue {
    cookie(cookie_name(is_secure), is_secure, "", 0)
}

fn cookie(name: &str, is_secure: bool, value: &str, seconds: u64) -> HeaderValue {
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    // letters, digits and a dot: this cannot fail
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// What a browser has under a name.
fn cookie_in(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(found, _)| *found == name)?;
    Some(Secret::new(token.as_bytes().to_vec()))
}

/// The browser of a request, signed in or not.
pub(super) struct Guest {
    /// Where from.
    pub(super) browser: Browser,
    /// The language that it prefers, or that was chosen by `?language=`.
    pub(super) language: Language,
    /// What it is signed in by.
    pub(super) token: Option<Secret>,
    /// Whether it comes by `https`, as far as is known: its cookie then goes no other way.
    pub(super) is_secure: bool,
    /// Where it is.
    pub(super) uri: Uri,
}

impl FromRequestParts<Console> for Guest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Guest, Infallible> {
        let from = origin(parts);
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let agent: String = text(header::USER_AGENT).chars().filter(|letter| !letter.is_control()).collect();
        let uri = parts.extensions.get::<OriginalUri>().map_or_else(|| parts.uri.clone(), |uri| uri.0.clone());
        let chosen = query_value(&uri, "language").and_then(|tag| Language::of_tag(&tag));
        let language = chosen.unwrap_or_else(|| preferred(parts));
        // where browsers are told to come by https, no word of a proxy makes less of it
        let is_secure = console.settings.is_secure || parts.extensions.get::<Scheme>() == Some(&Scheme::Https);
        let token = cookie_in(&parts.headers, cookie_name(is_secure));
        let known = cookie_in(&parts.headers, known_name(is_secure));
        Ok(Guest { browser: Browser { from, agent, known }, language, token, is_secure, uri })
    }
}

/// Where a request comes from.
pub(super) fn origin(parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>();
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(address)| address.ip().to_canonical())
}

/// The language that a browser prefers, of those that we speak.
pub(super) fn preferred(parts: &Parts) -> Language {
    let wanted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    wanted.and_then(Language::preferred).unwrap_or_default()
}

/// One value of the query.
pub(super) fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let pairs = serde_html_form::from_str::<Vec<(String, String)>>(uri.query()?).ok()?;
    pairs.into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

/// A place of ours to go on to: a path, and nothing that a browser could take for another site.
pub(super) fn place(given: &str) -> &str {
    let is_path = given.starts_with('/') && !given[1..].starts_with(['/', '\\']);
    let is_plain = given.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\');
    if is_path && is_plain { given } else { "/" }
}

/// Somebody who is signed in.
pub(super) struct Visit {
    /// Who.
    pub(super) visitor: Visitor,
    /// The path and query that they look at.
    pub(super) here: String,
    pub(super) console: Console,
    words: Words,
    /// The account that they look at, with its quota.
    pub(super) account: Option<AccountView>,
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Visit, Failure> {
        Visit::of(parts, console).await
    }
}

impl Visit {
    /// Who is signed in; others are led to the entrance.
    pub(super) async fn of(parts: &mut Parts, console: &Console) -> Result<Visit, Failure> {
        let Ok(guest) = Guest::from_request_parts(parts, console).await;
        let here = guest.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let visitor = match guest.token.clone() {
            Some(token) => console.door.visitor(token, guest.browser.from).await?,
            None => None,
        };
        let Some(visitor) = visitor else {
            // what takes a form shows nothing to come back to
            let next = if parts.method == Method::GET { here } else { "/".to_owned() };
            return Err(Failure::Entrance(next));
        };
        if !visitor.sign_in.confirmed {
            return Err(Failure::Elsewhere("/sign-in/code".to_owned()));
        }
        let paced =
            console.pace.lock().unwrap_or_else(PoisonError::into_inner).on(visitor.member.id, console.door.now());
        let zone = visitor.account.as_ref().map_or("UTC", |account| account.time_zone.name());
        let words = Words::in_zone(visitor.member.language, zone);
        let mut visit = Visit { visitor, here, console: console.clone(), words, account: None };
        if paced.is_err() {
            return Err(visit.page().failure_too_many());
        }
        if let Scope::Account(account, _) = visit.visitor.identity.scope {
            visit.account = visit.ask(Operation::AccountShow { account: account.number() }).await.ok();
        }
        visit.admitted(parts.extensions.get().copied(), &parts.method)?;
        Ok(visit)
    }

    /// Whether the page is for them. (Whatever it asks the relay for is looked at once more there.)
    fn admitted(&self, whom: Option<For>, method: &Method) -> Result<(), Failure> {
        match (whom, self.visitor.identity.scope) {
            // a form of the operator's pages, sent while an account is looked at: nothing of it is done, and that is said
            (Some(For::Operator), Scope::Account(..))
                if self.visitor.sign_in.acting_for.is_some() && method != Method::GET =>
            {
                Err(self.page().failure_stale())
            }
            (Some(For::Operator), Scope::Account(..)) if self.visitor.sign_in.acting_for.is_some() => {
                Err(Failure::Elsewhere("/".to_owned()))
            }
            (Some(For::Operator), Scope::Account(..)) => Err(self.page().failure_forbidden()),
            (Some(For::Account(_)), Scope::Operator) => Err(Failure::Elsewhere("/operator".to_owned())),
            (Some(For::Account(need)), Scope::Account(..)) if !self.may(need) => Err(self.page().failure_forbidden()),
            _ => Ok(()),
        }
    }

    /// What pages say to them.
    pub(super) fn words(&self) -> &Words {
        &self.words
    }

    /// The frame of a page of theirs.
    pub(super) fn page(&self) -> Page {
        Page::of(self)
    }

    /// Whether one of our own pages sent a form with this.
    pub(super) fn is_own_form(&self, csrf: &str) -> bool {
        self.visitor.form_key.matches(csrf)
    }

    /// Whether they may do what needs this.
    pub(super) fn may(&self, need: Need) -> bool {
        self.visitor.identity.scope.meets(need)
    }

    /// The number of the account that they look at.
    ///
    /// # Errors
    /// They look at the whole relay.
    pub(super) fn account_number(&self) -> Result<u64, Failure> {
        match self.visitor.identity.scope {
            Scope::Account(account, _) => Ok(account.number()),
            Scope::Operator => Err(Failure::Elsewhere("/".to_owned())),
        }
    }

    /// Asks the relay in their name.
    ///
    /// # Errors
    /// What happened, as the page to show.
    pub(super) async fn ask<T: TryFrom<Answer, Error = Fault>>(&self, operation: Operation) -> Result<T, Failure> {
        let answer = self.console.door.ask(operation, self.visitor.identity.clone()).await;
        answer.and_then(T::try_from).map_err(|fault| self.failure(fault))
    }

    /// Asks the relay where a refusal is shown beside the form that led to it: a wrong value, a contradiction.
    ///
    /// # Errors
    /// The page to show, where it is not the visitor's to mend.
    pub(super) async fn try_to<T: TryFrom<Answer, Error = Fault>>(
        &self,
        operation: Operation,
    ) -> Result<Result<T, Fault>, Failure> {
        let answer = self.console.door.ask(operation, self.visitor.identity.clone()).await;
        match answer.and_then(T::try_from) {
            Err(fault) if !matches!(fault.kind, FaultKind::Invalid | FaultKind::Conflict) => Err(self.failure(fault)),
            other => Ok(other),
        }
    }

    /// A number that stands in a path.
    ///
    /// # Errors
    /// It is none: there is no such page.
    pub(super) fn number(&self, text: &str) -> Result<u64, Failure> {
        text.parse().map_err(|_| self.nothing())
    }

    /// There is nothing here.
    pub(super) fn nothing(&self) -> Failure {
        Failure::nowhere(self.words.language).for_visit(self)
    }

    /// A value of the query.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        query_value(&self.here.parse().ok()?, name)
    }

    /// A number of the query; none where it is absent or empty.
    ///
    /// # Errors
    /// It is no number.
    pub(super) fn number_asked(&self, name: &str) -> Result<Option<u64>, Failure> {
        let text = self.asked(name).filter(|text| !text.is_empty());
        text.map(|text| self.number(text.trim())).transpose()
    }

    fn failure(&self, fault: Fault) -> Failure {
        self.page().failure(fault)
    }
}

/// Leads on with GET after a form was taken.
pub(super) fn on_to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// There is no such page.
pub(super) async fn nowhere(State(console): State<Console>, guest: Guest) -> Failure {
    let visitor = match guest.token.clone() {
        Some(token) => console.door.visitor(token, guest.browser.from).await.ok().flatten(),
        None => None,
    };
    let language = visitor.map_or(guest.language, |visitor| visitor.member.language);
    Failure::nowhere(language)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn nobody_is_led_to_another_site() {
        for ours in ["/", "/domains", "/activity?page=2&search=a%20b"] {
            assert_eq!(place(ours), ours);
        }
        for other in ["", "//a.example", "/\\a.example", "https://a.example", "javascript:x", "/a\\b", "/a\nb", "a"] {
            assert_eq!(place(other), "/", "{other:?}");
        }
    }
}
