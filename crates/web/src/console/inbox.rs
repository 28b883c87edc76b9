//! The test inbox: what the sandbox took, as a list, and one message with all that is in it.

mod message;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::id::MessageId;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{CapturedView, DoneView};

use super::form::Signed;
use super::listing::last_of_more;
use super::page::{Failure, Page, shown};
use super::question::{Pressed, Question, Sure, asked};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Who may look: whoever sees Activity.
const READERS: For = For::Account(Need::Power(Power::Activity));
/// Who may delete: whoever has SMTP users and test mail.
const MANAGERS: For = For::Account(Need::Power(Power::Domains));

const LIST: &str = "/inbox";
const ROWS: u32 = 50;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show(LIST, READERS, list),
        show("/inbox/empty", MANAGERS, empty_asked),
        take("/inbox/empty", MANAGERS, empty),
        show("/inbox/{message}", READERS, message::page),
        show("/inbox/{message}/html", READERS, message::html),
        show("/inbox/{message}/source.eml", READERS, message::source),
        take("/inbox/{message}/delete", MANAGERS, delete),
    ]
}

struct Row {
    message: CapturedView,
    at: String,
    to: String,
    octets: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    page: Page,
    kept: String,
    search: String,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

fn id(visit: &Visit, text: &str) -> Result<MessageId, Failure> {
    text.parse().map_err(|_| visit.nothing())
}

/// How recipients are named in few words.
fn recipients(all: &[String]) -> String {
    all.join(", ")
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let account = Some(visit.account_number()?);
    let search = visit.asked("search").unwrap_or_default();
    let before = visit.asked("before").filter(|text| !text.is_empty());
    let before = before.map(|text| id(&visit, &text)).transpose()?;
    let recipient = Some(search.trim().to_owned()).filter(|text| !text.is_empty());
    let listed = Operation::InboxList { account, recipient, before, limit: ROWS + 1 };
    let mut found: Vec<CapturedView> = visit.ask(listed).await?;
    let page = visit.page();
    let of = utf8_percent_encode(&search, NON_ALPHANUMERIC);
    let older = last_of_more(&mut found, ROWS).map(|last| format!("{LIST}?search={of}&before={}", last.message));
    let newer = before.map(|_| format!("{LIST}?search={of}"));
    let row = |message: CapturedView| Row {
        at: page.words.minute(&message.at),
        to: recipients(&message.recipients),
        octets: page.words.count("activity-octets", message.octets),
        message,
    };
    let rows = found.into_iter().map(row).collect();
    let kept = page.words.count("inbox-kept", visit.console.settings.limits.inbox_days);
    Ok(shown(&InboxPage { kept, search, rows, newer, older, page }))
}

async fn delete(Path(message): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::InboxDelete { message: id(&visit, &message)? }).await?;
    Ok(on_to(LIST))
}

async fn empty_asked(visit: Visit) -> Response {
    let page = visit.page();
    let question = Question {
        title: page.t("inbox-empty-title"),
        consequences: vec![page.t("inbox-empty-then"), page.t("cannot-be-undone")],
        sure: page.t("inbox-empty-sure"),
        action: "/inbox/empty".to_owned(),
        act: page.t("inbox-empty"),
        back: LIST.to_owned(),
    };
    asked(page, question)
}

async fn empty(Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let account = visit.account_number()?;
    visit.ask::<DoneView>(Operation::InboxEmpty { account }).await?;
    Ok(on_to(LIST))
}
