//! What people change of themselves: name, language, password, one-time codes, where they are signed in.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use qrcode::QrCode;
use qrcode::render::svg;
use relay::language::Language;
use relay::member::password::CHARACTERS_MIN;
use relay::member::totp;
use relay::service::door::{OwnChange, Refused};
use relay::smtp_user::PasswordHash;
use serde::Deserialize;
use smtp::server::Secret;

use super::entrance::{secret, told};
use super::form::Signed;
use super::page::{Failure, Page, shown, shown_as};
use super::visit::{Visit, on_to};
use super::{For, Route, show, sign_ins, take};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/profile", For::Visitors, page),
        take("/profile", For::Visitors, change),
        take("/profile/password", For::Visitors, password),
        show("/profile/codes", For::Visitors, codes_page),
        take("/profile/codes", For::Visitors, codes_on),
        take("/profile/codes/off", For::Visitors, codes_off),
        take("/profile/sign-ins/end", For::Visitors, end),
    ]
}

/// One browser that they are signed in with.
struct Browser {
    token: String,
    agent: String,
    from: String,
    since: String,
    seen: String,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "profile.html")]
struct ProfilePage {
    page: Page,
    email: String,
    name: String,
    language: &'static str,
    has_codes: bool,
    recovery_left: String,
    browsers: Vec<Browser>,
    sign_ins: Vec<sign_ins::Row>,
    least: String,
    refused: Option<(&'static str, String)>,
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair.filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}

async fn profile(visit: &Visit, refused: Option<(&'static str, Refused)>) -> Result<Response, Failure> {
    let (page, visitor) = (visit.page(), &visit.visitor);
    let signed_in = visit.console.door.sign_ins(visitor).await?;
    let recent = visit.console.door.recent_sign_ins(visitor).await?;
    let browsers = signed_in.iter().filter(|sign_in| sign_in.confirmed).map(|sign_in| Browser {
        token: hex(&sign_in.token.0),
        agent: sign_in.agent.clone(),
        from: sign_in.from.to_string(),
        since: visit.words().minute_of(sign_in.created_at),
        seen: visit.words().minute_of(sign_in.seen_at),
        is_this: sign_in.token == visitor.sign_in.token,
    });
    let member = &visitor.member;
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = ProfilePage {
        email: member.email.clone(),
        name: member.name.clone(),
        language: member.language.tag(),
        has_codes: member.totp.is_some(),
        recovery_left: page.count("profile-recovery-left", member.recovery.len()),
        browsers: browsers.collect(),
        sign_ins: sign_ins::rows(visit.words(), &recent),
        least: page.count("password-hint", CHARACTERS_MIN),
        refused: refused.map(|(form, refused)| (form, told(&page, &refused))),
        page,
    };
    Ok(shown_as(status, &shown))
}

pub(super) async fn page(visit: Visit) -> Result<Response, Failure> {
    profile(&visit, None).await
}

/// Makes the change, and shows the page again, with what was wrong where something was.
async fn changed(visit: Visit, form: &'static str, change: OwnChange) -> Result<Response, Failure> {
    match visit.console.door.change_own(visit.visitor.clone(), change).await {
        Ok(_) => Ok(on_to("/profile")),
        Err(refused) => profile(&visit, Some((form, refused))).await,
    }
}

#[derive(Deserialize)]
pub(super) struct ProfileForm {
    name: String,
    language: Language,
}

pub(super) async fn change(Signed { visit, form }: Signed<ProfileForm>) -> Result<Response, Failure> {
    let ProfileForm { name, language } = form;
    changed(visit, "profile", OwnChange::Profile { name, language }).await
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    before: String,
    after: String,
}

pub(super) async fn password(Signed { visit, form }: Signed<PasswordForm>) -> Result<Response, Failure> {
    let (before, after) = (secret(form.before), secret(form.after));
    changed(visit, "password", OwnChange::Password { before, after }).await
}

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage {
    page: Page,
    /// The square code, as an SVG element.
    square: String,
    seed: String,
    seed_text: String,
    refused: Option<String>,
}

fn codes(visit: &Visit, seed: &Secret, refused: Option<&Refused>) -> Response {
    let page = visit.page();
    let address = totp::address(seed, &visit.console.settings.hostname, &visit.visitor.member.email);
    let square = QrCode::new(address.as_bytes()).map(|code| {
        let image = code.render::<svg::Color<'_>>().min_dimensions(220, 220).quiet_zone(true).build();
        // within a page it is an element, not a document of its own
        image.split_once("?>").map_or(image.clone(), |(_, element)| element.to_owned())
    });
    let shown = CodesPage {
        square: square.unwrap_or_default(),
        seed: hex(seed.expose()),
        seed_text: totp::seed_text(seed),
        refused: refused.map(|refused| told(&page, refused)),
        page,
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    shown_as(status, &shown)
}

pub(super) async fn codes_page(visit: Visit) -> Response {
    // those that are on are turned off first, which asks for the password
    if visit.visitor.member.totp.is_some() {
        return on_to("/profile");
    }
    let seed = visit.console.door.totp_seed();
    codes(&visit, &seed, None)
}

#[derive(Deserialize)]
pub(super) struct CodesForm {
    seed: String,
    code: String,
    password: String,
}

#[derive(Template)]
#[template(path = "recovery.html")]
struct RecoveryPage {
    page: Page,
    codes: Vec<String>,
}

pub(super) async fn codes_on(Signed { visit, form }: Signed<CodesForm>) -> Result<Response, Failure> {
    // the seed comes back from our own page: whoever changes it there changes their own
    let Some(seed) = unhex(&form.seed).filter(|seed| seed.len() == 20).map(Secret::new) else {
        return Ok(on_to("/profile/codes"));
    };
    let change = OwnChange::TotpOn { seed: seed.clone(), code: form.code, password: secret(form.password) };
    match visit.console.door.change_own(visit.visitor.clone(), change).await {
        Ok(given) => {
            let codes = given.iter().map(|code| String::from_utf8_lossy(code.expose()).into_owned());
            Ok(shown(&RecoveryPage { page: visit.page(), codes: codes.collect() }))
        }
        Err(refused) => Ok(codes(&visit, &seed, Some(&refused))),
    }
}

#[derive(Deserialize)]
pub(super) struct OffForm {
    password: String,
}

pub(super) async fn codes_off(Signed { visit, form }: Signed<OffForm>) -> Result<Response, Failure> {
    changed(visit, "codes", OwnChange::TotpOff { password: secret(form.password) }).await
}

#[derive(Deserialize)]
pub(super) struct EndForm {
    token: String,
}

pub(super) async fn end(Signed { visit, form }: Signed<EndForm>) -> Result<Response, Failure> {
    match unhex(&form.token).and_then(|octets| octets.try_into().ok()) {
        Some(token) => changed(visit, "browsers", OwnChange::End { token: PasswordHash(token) }).await,
        None => Ok(on_to("/profile")),
    }
}
