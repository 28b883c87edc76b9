//! The entrance: signing in and out, choosing a password by a link, the first start.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use relay::language::Language;
use relay::member::password::{CHARACTERS_MIN, Weakness};
use relay::service::FaultKind;
use relay::service::door::{Entered, Founder, Refused};
use serde::Deserialize;
use smtp::server::Secret;

use super::form::Open;
use super::page::{Failure, Page, shown, shown_as};
use super::visit::{Guest, cookie_gone, cookie_of, known_of, on_to, place, query_value};
use super::{Console, For, Route, show, take};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/sign-in", For::Everybody, sign_in_page),
        take("/sign-in", For::Everybody, sign_in),
        show("/sign-in/code", For::Everybody, code_page),
        take("/sign-in/code", For::Everybody, code),
        take("/sign-out", For::Everybody, sign_out),
        show("/forgotten", For::Everybody, forgotten_page),
        take("/forgotten", For::Everybody, forgotten),
        show("/choose-password", For::Everybody, choose_page),
        take("/choose-password", For::Everybody, choose),
        show("/first-start", For::Everybody, first_page),
        take("/first-start", For::Everybody, first),
    ]
}

/// A text of a form that nobody may read in a log.
pub(super) fn secret(text: String) -> Secret {
    Secret::new(text.into_bytes())
}

/// Why somebody was not let in, in words.
pub(super) fn told(page: &Page, refused: &Refused) -> String {
    match refused {
        Refused::Wrong => page.t("entrance-wrong"),
        Refused::TooMany(seconds) => {
            page.count("entrance-too-many", usize::try_from(seconds.div_ceil(60)).unwrap_or(1))
        }
        Refused::LinkVoid => page.t("entrance-link-void"),
        Refused::Weak(Weakness::Short) => page.count("password-short", CHARACTERS_MIN),
        Refused::Weak(Weakness::Long) => page.t("password-long"),
        Refused::Weak(Weakness::Guessable) => page.t("password-guessable"),
        Refused::Fault(fault) => fault.what.clone(),
    }
}

fn status_of(refused: &Refused) -> StatusCode {
    match refused {
        Refused::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Refused::Fault(fault) if fault.kind == FaultKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Lets a browser in, and leads it on.
fn let_in(console: &Console, guest: &Guest, entered: &Entered, next: &str) -> Response {
    let mut answer = if entered.confirmed {
        on_to(place(next))
    } else {
        let next = percent_encoding::utf8_percent_encode(place(next), percent_encoding::NON_ALPHANUMERIC);
        on_to(&format!("/sign-in/code?next={next}"))
    };
    answer.headers_mut().insert(header::SET_COOKIE, cookie_of(&console.settings, guest.is_secure, &entered.token));
    if let Some(known) = &entered.known {
        answer.headers_mut().append(header::SET_COOKIE, known_of(guest.is_secure, known));
    }
    answer
}

fn page_of(console: &Console, language: Language) -> Page {
    Page::outside(language, &console.settings.hostname)
}

fn language_of(tag: &str, guest: &Guest) -> Language {
    Language::of_tag(tag).unwrap_or(guest.language)
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    page: Page,
    email: String,
    next: String,
    refused: Option<String>,
    choice: String,
    can_write: bool,
}

/// Where the same page is in the other language.
fn other_language(guest: &Guest, page: &Page) -> String {
    let pairs = serde_html_form::from_str::<Vec<(String, String)>>(guest.uri.query().unwrap_or_default());
    let mut pairs = pairs.unwrap_or_default();
    pairs.retain(|(name, _)| name != "language");
    pairs.push(("language".to_owned(), page.other().to_owned()));
    format!("{}?{}", guest.uri.path(), serde_html_form::to_string(pairs).unwrap_or_default())
}

pub(super) async fn sign_in_page(State(console): State<Console>, guest: Guest) -> Response {
    let page = page_of(&console, guest.language);
    let next = query_value(&guest.uri, "next").unwrap_or_default();
    let choice = other_language(&guest, &page);
    let can_write = console.door.can_write();
    shown(&SignInPage { page, email: String::new(), next, refused: None, choice, can_write })
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    language: String,
}

pub(super) async fn sign_in(State(console): State<Console>, guest: Guest, Open(form): Open<SignInForm>) -> Response {
    let page = page_of(&console, language_of(&form.language, &guest));
    let entered = console.door.sign_in(form.email.clone(), secret(form.password), guest.browser.clone()).await;
    match entered {
        Ok(entered) => let_in(&console, &guest, &entered, &form.next),
        Err(refused) => {
            let (choice, words) = (other_language(&guest, &page), told(&page, &refused));
            let can_write = console.door.can_write();
            let shown =
                SignInPage { page, email: form.email, next: form.next, refused: Some(words), choice, can_write };
            shown_as(status_of(&refused), &shown)
        }
    }
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    page: Page,
    next: String,
    refused: Option<String>,
}

pub(super) async fn code_page(State(console): State<Console>, guest: Guest) -> Response {
    let next = query_value(&guest.uri, "next").unwrap_or_default();
    shown(&CodePage { page: page_of(&console, guest.language), next, refused: None })
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    code: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    language: String,
}

pub(super) async fn code(State(console): State<Console>, guest: Guest, Open(form): Open<CodeForm>) -> Response {
    let Some(token) = guest.token.clone() else { return on_to("/sign-in") };
    match console.door.confirm(token, form.code, guest.browser.clone()).await {
        Ok(entered) => let_in(&console, &guest, &entered, &form.next),
        Err(Refused::LinkVoid) => on_to("/sign-in"),
        Err(refused) => {
            let page = page_of(&console, language_of(&form.language, &guest));
            let words = told(&page, &refused);
            shown_as(status_of(&refused), &CodePage { page, next: form.next, refused: Some(words) })
        }
    }
}

pub(super) async fn sign_out(State(console): State<Console>, guest: Guest) -> Result<Response, Failure> {
    if let Some(token) = guest.token {
        console.door.sign_out(token).await?;
    }
    let mut answer = on_to("/sign-in");
    answer.headers_mut().insert(header::SET_COOKIE, cookie_gone(guest.is_secure));
    Ok(answer)
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct ForgottenPage {
    page: Page,
    is_sent: bool,
    refused: Option<String>,
}

pub(super) async fn forgotten_page(State(console): State<Console>, guest: Guest) -> Response {
    shown(&ForgottenPage { page: page_of(&console, guest.language), is_sent: false, refused: None })
}

#[derive(Deserialize)]
pub(super) struct ForgottenForm {
    email: String,
    #[serde(default)]
    language: String,
}

pub(super) async fn forgotten(
    State(console): State<Console>,
    guest: Guest,
    Open(form): Open<ForgottenForm>,
) -> Response {
    let page = page_of(&console, language_of(&form.language, &guest));
    match console.door.forgotten(form.email, guest.browser.clone()).await {
        Ok(()) => shown(&ForgottenPage { page, is_sent: true, refused: None }),
        Err(refused) => {
            let words = told(&page, &refused);
            shown_as(status_of(&refused), &ForgottenPage { page, is_sent: false, refused: Some(words) })
        }
    }
}

#[derive(Template)]
#[template(path = "choose-password.html")]
struct ChoosePage {
    page: Page,
    token: String,
    email: String,
    refused: Option<String>,
    least: String,
}

#[derive(Template)]
#[template(path = "link-void.html")]
struct LinkVoidPage {
    page: Page,
}

fn least(page: &Page) -> String {
    page.count("password-hint", CHARACTERS_MIN)
}

/// A page whose address carries a secret: it is sent to nobody as where a visitor came from.
fn unreferred(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

pub(super) async fn choose_page(State(console): State<Console>, guest: Guest) -> Result<Response, Failure> {
    let token = query_value(&guest.uri, "token").unwrap_or_default();
    let Some(member) = console.door.link(secret(token.clone())).await? else {
        let page = page_of(&console, guest.language);
        return Ok(shown_as(StatusCode::GONE, &LinkVoidPage { page }));
    };
    let page = page_of(&console, member.language);
    let (email, least) = (member.email.clone(), least(&page));
    Ok(unreferred(shown(&ChoosePage { page, token, email, refused: None, least })))
}

#[derive(Deserialize)]
pub(super) struct ChooseForm {
    token: String,
    password: String,
}

pub(super) async fn choose(
    State(console): State<Console>,
    guest: Guest,
    Open(form): Open<ChooseForm>,
) -> Result<Response, Failure> {
    let ChooseForm { token, password } = form;
    let Some(member) = console.door.link(secret(token.clone())).await? else {
        let page = page_of(&console, guest.language);
        return Ok(shown_as(StatusCode::GONE, &LinkVoidPage { page }));
    };
    match console.door.choose_password(secret(token.clone()), secret(password), guest.browser.clone()).await {
        Ok(entered) => Ok(let_in(&console, &guest, &entered, "/")),
        // somebody else was quicker
        Err(Refused::LinkVoid) => {
            Ok(shown_as(StatusCode::GONE, &LinkVoidPage { page: page_of(&console, guest.language) }))
        }
        Err(refused) => {
            let page = page_of(&console, member.language);
            let (words, least) = (told(&page, &refused), least(&page));
            let shown = ChoosePage { page, token, email: member.email.clone(), refused: Some(words), least };
            Ok(shown_as(status_of(&refused), &shown))
        }
    }
}

#[derive(Template)]
#[template(path = "first-start.html")]
struct FirstPage {
    page: Page,
    token: String,
    email: String,
    name: String,
    refused: Option<String>,
    least: String,
    choice: String,
}

pub(super) async fn first_page(State(console): State<Console>, guest: Guest) -> Response {
    let page = page_of(&console, guest.language);
    let token = query_value(&guest.uri, "token").unwrap_or_default();
    if !console.door.is_first_start(&secret(token.clone())) {
        return shown_as(StatusCode::GONE, &LinkVoidPage { page });
    }
    let (least, choice) = (least(&page), other_language(&guest, &page));
    let (email, name) = (String::new(), String::new());
    unreferred(shown(&FirstPage { page, token, email, name, refused: None, least, choice }))
}

#[derive(Deserialize)]
pub(super) struct FirstForm {
    token: String,
    email: String,
    name: String,
    password: String,
    #[serde(default)]
    language: String,
}

pub(super) async fn first(State(console): State<Console>, guest: Guest, Open(form): Open<FirstForm>) -> Response {
    let language = language_of(&form.language, &guest);
    let FirstForm { token, email, name, password, .. } = form;
    let founder = Founder { email: email.clone(), name: name.clone(), password: secret(password), language };
    let page = page_of(&console, language);
    match console.door.found(secret(token.clone()), founder, guest.browser.clone()).await {
        Ok(entered) => let_in(&console, &guest, &entered, "/operator/first-steps"),
        Err(Refused::LinkVoid) => shown_as(StatusCode::GONE, &LinkVoidPage { page }),
        Err(refused) => {
            let (words, least, choice) = (told(&page, &refused), least(&page), other_language(&guest, &page));
            let status = status_of(&refused);
            shown_as(status, &FirstPage { page, token, email, name, refused: Some(words), least, choice })
        }
    }
}
