//! The queue as the operator sees it: what waits, one message with its recipients, and orders to it.

mod orders;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::id::MessageId;
use relay::service::operation::Operation;
use relay::service::view::{DoneView, MessageView, QueueRecipientView, QueueView, UnknownReplyView};

use super::form::Signed;
use super::listing::last_of_more;
use super::page::{Failure, Page, shown, slug};
use super::question::{Pressed, Question, Sure, asked};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const ROWS: u32 = 50;
const LIST: &str = "/operator/queue";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    let all = vec![
        show(LIST, For::Operator, list),
        show("/operator/queue/release-all", For::Operator, release_all_asked),
        take("/operator/queue/release-all", For::Operator, release_all),
        show("/operator/queue/cancel-all", For::Operator, cancel_all_asked),
        take("/operator/queue/cancel-all", For::Operator, cancel_all),
        show("/operator/queue/unknown-replies", For::Operator, unknown_replies),
        show("/operator/queue/{message}", For::Operator, one),
        take("/operator/queue/{message}/retry", For::Operator, retry),
        take("/operator/queue/{message}/hold", For::Operator, hold),
        take("/operator/queue/{message}/release", For::Operator, release),
        show("/operator/queue/{message}/cancel", For::Operator, cancel_asked),
        take("/operator/queue/{message}/cancel", For::Operator, cancel),
    ];
    all.into_iter().chain(orders::routes()).collect()
}

struct Recipient {
    view: QueueRecipientView,
    slug: &'static str,
    icon: &'static str,
    state: String,
    /// When it is tried next, or why it is held.
    detail: String,
}

fn recipient(page: &Page, view: QueueRecipientView) -> Recipient {
    let (slug_of, icon) = match view.state.as_str() {
        "held" => ("warning", "lock"),
        "settled" => ("pass", "check"),
        _ => ("pending", "pending"),
    };
    let held = view.held.as_deref().map(|why| page.t(&format!("held-{}", slug(why))));
    let due = view.due_at.as_deref().map(|at| page.with("queue-due", "moment", &page.words.minute(at)));
    Recipient {
        slug: slug_of,
        icon,
        state: page.t(&format!("recipient-{}", view.state)),
        detail: held.or(due).unwrap_or_default(),
        view,
    }
}

struct Row {
    entry: QueueView,
    at: String,
    domains: String,
    recipients: String,
    first: Option<Recipient>,
    is_held: bool,
}

fn row(page: &Page, entry: QueueView) -> Row {
    let mut domains: Vec<_> = entry.recipients.iter().map(|recipient| recipient.recipient.clone()).collect();
    domains.sort();
    domains.dedup();
    domains.truncate(3);
    let is_held = entry.recipients.iter().any(|recipient| recipient.state == "held");
    let told = entry.recipients.iter().find(|recipient| recipient.state == "held").or(entry.recipients.first());
    Row {
        at: page.words.minute(&entry.accepted_at),
        domains: domains.join(", "),
        recipients: page.count("queue-recipients", entry.recipients.len()),
        first: told.cloned().map(|view| recipient(page, view)),
        is_held,
        entry,
    }
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    page: Page,
    account: Option<u64>,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let account = visit.number_asked("account")?;
    let after = visit.asked("after").filter(|text| !text.is_empty());
    let after = after.map(|text| message_of(&visit, &text)).transpose()?;
    let mut entries: Vec<QueueView> = visit.ask(Operation::QueueList { account, after, limit: ROWS + 1 }).await?;
    let page = visit.page();
    let of = account.map(|account| format!("account={account}")).unwrap_or_default();
    let older = last_of_more(&mut entries, ROWS).map(|entry| format!("{LIST}?{of}&after={}", entry.message));
    let newer = after.map(|_| format!("{LIST}?{of}"));
    let rows = entries.into_iter().map(|entry| row(&page, entry)).collect();
    Ok(shown(&QueuePage { account, rows, newer, older, page }))
}

fn message_of(visit: &Visit, text: &str) -> Result<MessageId, Failure> {
    text.parse().map_err(|_| visit.nothing())
}

struct Unknown {
    reply: UnknownReplyView,
    count: String,
    first: String,
    last: String,
}

#[derive(Template)]
#[template(path = "unknown-replies.html")]
struct UnknownPage {
    page: Page,
    rows: Vec<Unknown>,
}

async fn unknown_replies(visit: Visit) -> Result<Response, Failure> {
    let replies: Vec<UnknownReplyView> = visit.ask(Operation::UnknownReplies).await?;
    let page = visit.page();
    let row = |reply: UnknownReplyView| Unknown {
        count: page.words.number(reply.count),
        first: page.words.minute(&reply.first_at),
        last: page.words.minute(&reply.last_at),
        reply,
    };
    let rows = replies.into_iter().map(row).collect();
    Ok(shown(&UnknownPage { rows, page }))
}

#[derive(Template)]
#[template(path = "queue-message.html")]
struct MessagePage {
    page: Page,
    message: MessageView,
    at: String,
    octets: String,
    recipients: Vec<Recipient>,
    is_held: bool,
    waits: bool,
}

async fn one(visit: Visit, Path(message): Path<String>) -> Result<Response, Failure> {
    let order = Operation::QueueShow { message: message_of(&visit, &message)? };
    let mut message: MessageView = visit.ask(order).await?;
    let page = visit.page();
    let recipients = std::mem::take(&mut message.recipients);
    let shown_page = MessagePage {
        at: page.words.moment(&message.accepted_at),
        octets: page.words.number(message.octets),
        is_held: recipients.iter().any(|recipient| recipient.state == "held"),
        waits: recipients.iter().any(|recipient| recipient.state == "waiting"),
        recipients: recipients.into_iter().map(|view| recipient(&page, view)).collect(),
        message,
        page,
    };
    Ok(shown(&shown_page))
}

/// Gives an order to a message; it may have left the queue by then, so the list is what follows.
async fn ordered(
    visit: &Visit,
    message: &str,
    order: impl Fn(MessageId) -> Operation,
    stays: bool,
) -> Result<Response, Failure> {
    visit.ask::<DoneView>(order(message_of(visit, message)?)).await?;
    Ok(on_to(&if stays { format!("{LIST}/{message}") } else { LIST.to_owned() }))
}

async fn retry(Path(message): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    ordered(&visit, &message, |message| Operation::QueueRetry { message }, false).await
}

async fn hold(Path(message): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    ordered(&visit, &message, |message| Operation::QueueHold { message }, true).await
}

async fn release(Path(message): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    ordered(&visit, &message, |message| Operation::QueueRelease { message }, false).await
}

async fn cancel_asked(visit: Visit, Path(message): Path<String>) -> Result<Response, Failure> {
    let found: MessageView = visit.ask(Operation::QueueShow { message: message_of(&visit, &message)? }).await?;
    let page = visit.page();
    let question = Question {
        title: page.t("queue-cancel-title"),
        consequences: vec![
            page.words.filled("queue-cancel-of", &[("subject", &found.subject), ("sender", &found.reverse_path)]),
            page.t("queue-cancel-then"),
            page.t("cannot-be-undone"),
        ],
        sure: page.t("queue-cancel-sure"),
        action: format!("{LIST}/{message}/cancel"),
        act: page.t("queue-cancel"),
        back: format!("{LIST}/{message}"),
    };
    Ok(asked(page, question))
}

async fn cancel(Path(message): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    ordered(&visit, &message, |message| Operation::QueueCancel { message }, false).await
}

async fn release_all_asked(visit: Visit) -> Response {
    let page = visit.page();
    let question = Question {
        title: page.t("queue-release-all-title"),
        consequences: vec![page.t("queue-release-all-then"), page.t("queue-all-held-by-you")],
        sure: page.t("queue-release-all-sure"),
        action: format!("{LIST}/release-all"),
        act: page.t("queue-release-all"),
        back: LIST.to_owned(),
    };
    asked(page, question)
}

async fn release_all(Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::QueueReleaseAll).await?;
    Ok(on_to(LIST))
}

async fn cancel_all_asked(visit: Visit) -> Response {
    let page = visit.page();
    let question = Question {
        title: page.t("queue-cancel-all-title"),
        consequences: vec![page.t("queue-cancel-then"), page.t("queue-all-held-by-you"), page.t("cannot-be-undone")],
        sure: page.t("queue-cancel-all-sure"),
        action: format!("{LIST}/cancel-all"),
        act: page.t("queue-cancel-all"),
        back: LIST.to_owned(),
    };
    asked(page, question)
}

async fn cancel_all(Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::QueueCancelAll).await?;
    Ok(on_to(LIST))
}
