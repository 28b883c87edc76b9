//! One message of the test inbox: what is known of it, and what is in it. Whoever wrote it is a stranger to whoever looks: its
//! HTML is shown in a frame that runs nothing, loads nothing, and is of no site.

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use message::mime::Parts;
use relay::power::{Need, Power};
use relay::service::operation::{self, Operation};
use relay::service::view::{
    CapturedDetailView, CapturedView, LinkView, PartView, SignatureView, SmtpUserView, SourceView,
};

use super::{id, recipients};
use crate::console::page::{Failure, Page, shown};
use crate::console::visit::Visit;
use crate::console::words::Words;
use crate::whole::Place;

/// What the frame may: styles within it and pictures within it, and nothing else. `sandbox` makes it of no site, so that it
/// could do nothing here in a visitor's name either.
const FRAME_POLICY: &str = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; \
                            base-uri 'none'; frame-ancestors 'self'";

/// Octets of the source, and of the text, that stand on the page.
const SHOWN_OCTETS_MAX: usize = 32 * 1024;
/// Octets of the frame, pictures included.
const FRAME_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// A signature in words.
struct Signature {
    view: SignatureView,
    slug: &'static str,
    icon: &'static str,
    verdict: String,
    /// What DNS says of its key; empty where it is none of the account's.
    record: String,
}

struct Part {
    view: PartView,
    octets: String,
}

struct Link {
    view: LinkView,
    place: String,
}

#[derive(Template)]
#[template(path = "inbox-message.html")]
struct MessagePage {
    page: Page,
    captured: CapturedView,
    at: String,
    to: String,
    octets: String,
    /// The SMTP user that sent it, for whoever may look at one: its number, and what it is called; none: it is gone.
    user: Option<(u64, Option<String>)>,
    signatures: Vec<Signature>,
    /// Why there is none, where there is none.
    unsigned: String,
    has_html: bool,
    text: Option<String>,
    source: String,
    headers: Vec<(String, String)>,
    links: Vec<Link>,
    parts: Vec<Part>,
    cut: bool,
}

fn signature(words: &Words, view: SignatureView) -> Signature {
    let (slug, icon, verdict) = match view.verdict.as_str() {
        "pass" => ("delivered", "check", "inbox-pass"),
        "body_changed" => ("hard", "cross", "inbox-body-changed"),
        "wrong" => ("hard", "cross", "inbox-wrong"),
        "expired" => ("hard", "cross", "inbox-expired"),
        "no_key" => ("pending", "info", "inbox-no-key"),
        _ => ("pending", "info", "inbox-unchecked"),
    };
    let record = match (view.verdict.as_str(), view.finding.as_deref()) {
        ("no_key" | "unchecked", None) => String::new(),
        (_, None) => words.t("inbox-dkim-unasked"),
        (_, Some("right")) => words.t("inbox-dkim-right"),
        (_, Some("absent")) => words.t("inbox-dkim-absent"),
        (_, Some("wrong")) => words.t("inbox-dkim-wrong"),
        (_, Some(_)) => words.t("inbox-dkim-unknown"),
    };
    Signature { slug, icon, verdict: words.t(verdict), record, view }
}

fn link(words: &Words, view: LinkView) -> Link {
    let place = match view.place.as_str() {
        "html" => "inbox-link-html",
        "loaded" => "inbox-link-loaded",
        _ => "inbox-link-text",
    };
    Link { place: words.t(place), view }
}

/// The beginning of a text, and whether that is less than all of it.
fn beginning(mut text: String) -> (String, bool) {
    let is_cut = text.len() > SHOWN_OCTETS_MAX;
    text.truncate(text.floor_char_boundary(SHOWN_OCTETS_MAX));
    (text, is_cut)
}

pub(super) async fn page(visit: Visit, Path(message): Path<String>) -> Result<Response, Failure> {
    visit.account_number()?;
    let message = id(&visit, &message)?;
    let _place = place(&visit).await?;
    let found: CapturedDetailView = visit.ask(Operation::InboxShow { message }).await?;
    let whole: SourceView = visit.ask(Operation::InboxSource { message }).await?;
    let octets = whole.source.0;
    // a character may be cut at the end
    let head = String::from_utf8_lossy(&octets[..octets.len().min(SHOWN_OCTETS_MAX)]).into_owned();
    let (source, mut cut) = (head, octets.len() > SHOWN_OCTETS_MAX || found.cut);
    let text = found.text.map(|text| {
        let (text, is_cut) = beginning(text);
        cut |= is_cut;
        text
    });
    let user = user_of(&visit, &found.captured).await?;
    let page = visit.page();
    let words = page.words.clone();
    let unsigned = if found.captured.about.is_some() { "inbox-dkim-none-bounce" } else { "inbox-dkim-none" };
    let part = |view: PartView| Part { octets: words.count("activity-octets", view.octets), view };
    let shown_page = MessagePage {
        at: words.moment(&found.captured.at),
        to: recipients(&found.captured.recipients),
        octets: words.count("activity-octets", found.captured.octets),
        user,
        signatures: found.signatures.into_iter().map(|view| signature(&words, view)).collect(),
        unsigned: words.t(unsigned),
        has_html: found.html.is_some(),
        text,
        source,
        headers: found.headers.into_iter().map(|field| (field.name, field.value)).collect(),
        links: found.links.into_iter().map(|view| link(&words, view)).collect(),
        parts: found.parts.into_iter().map(part).collect(),
        cut,
        captured: found.captured,
        page,
    };
    Ok(shown(&shown_page))
}

/// The SMTP user that a message was sent as, where the visitor may look at one.
async fn user_of(visit: &Visit, captured: &CapturedView) -> Result<Option<(u64, Option<String>)>, Failure> {
    let Some(user) = captured.user.filter(|_| visit.may(Need::Power(Power::Domains))) else { return Ok(None) };
    // the first from its number on, which is another where it is gone
    let part = operation::Part { after: user.saturating_sub(1), limit: 1 };
    let listed = Operation::SmtpUserList { account: Some(visit.account_number()?), domain: None, part };
    let found: Vec<SmtpUserView> = visit.ask(listed).await?;
    let found = found.into_iter().find(|found| found.id == user);
    Ok(Some((user, found.map(|found| found.name))))
}

/// A place among the messages that are on their way whole.
async fn place(visit: &Visit) -> Result<Place, Failure> {
    Place::take(visit.account.as_ref().map(|account| account.id)).await.map_err(|fault| visit.page().failure(fault))
}

/// The HTML as it came, for the frame.
pub(super) async fn html(visit: Visit, Path(message): Path<String>) -> Result<Response, Failure> {
    visit.account_number()?;
    let place = place(&visit).await?;
    let whole: SourceView = visit.ask(Operation::InboxSource { message: id(&visit, &message)? }).await?;
    let content = whole.source.0;
    let reading = move || Parts::of(&content).html_with_pictures(FRAME_OCTETS_MAX);
    let read = tokio::task::spawn_blocking(reading).await.ok().flatten();
    let html = read.ok_or_else(|| visit.nothing())?;
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAME_POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off")),
    ];
    Ok((fields, place.body(html.into())).into_response())
}

/// The whole of it, to be taken away.
pub(super) async fn source(visit: Visit, Path(message): Path<String>) -> Result<Response, Failure> {
    visit.account_number()?;
    let place = place(&visit).await?;
    let whole: SourceView = visit.ask(Operation::InboxSource { message: id(&visit, &message)? }).await?;
    let name = format!("attachment; filename=\"{}.eml\"", whole.message);
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static("message/rfc822")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"))),
        // whatever shows it in its place runs nothing of it
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
        ),
    ];
    Ok((fields, place.body(whole.source.0)).into_response())
}
