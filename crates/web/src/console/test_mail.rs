//! A test mail: sent as one of the SMTP users, by the way that all mail takes, and followed step by step.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::activity::ActivityFilter;
use relay::id::{Id, MessageId};
use relay::power::{Need, Power};
use relay::service::operation::{Operation, Part};
use relay::service::view::{
    ActivityChangesView, ActivityDetailView, ActivityView, DomainView, SmtpUserView, SubmissionView,
};
use relay::service::{GivenContent, GivenMessage, Mailbox, MessageParts};
use serde::Deserialize;

use super::activity::detail::{Happened, happened, in_brief, step};
use super::activity::row::slug;
use super::connect::{Choice, choices};
use super::form::Signed;
use super::page::{Failure, Page, shown, shown_as};
use super::reasons::{self, Why};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};
use crate::letters;

const MANAGERS: For = For::Account(Need::Power(Power::Domains));

/// How long the rows of a message that was just taken are waited for: they follow within a moment.
const ROWS_SECONDS: u32 = 5;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/test-email", MANAGERS, page),
        take("/test-email", MANAGERS, send),
        show("/test-email/{message}", MANAGERS, progress),
    ]
}

/// What was refused, and how that is told.
struct Refused {
    why: Why,
    /// In the relay's own words, where there are no others.
    words: Option<Refusal>,
    /// What an application would have heard.
    reply: String,
}

#[derive(Template)]
#[template(path = "test-email.html")]
struct TestPage {
    page: Page,
    users: Vec<Choice>,
    /// Number and domain of the one that sends.
    chosen: Option<(u64, String)>,
    sender: String,
    to: String,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
struct TestForm {
    user: String,
    sender: String,
    to: String,
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    form(&visit, None, None).await
}

/// The form; with what was typed and why it was refused, where it was.
async fn form(visit: &Visit, typed: Option<TestForm>, refused: Option<Refused>) -> Result<Response, Failure> {
    let (account, domain) = (Some(visit.account_number()?), visit.asked("domain"));
    let listed = Operation::SmtpUserList { account, domain, part: Part::WHOLE };
    let users: Vec<SmtpUserView> = visit.ask(listed).await?;
    let wanted = typed.as_ref().map(|typed| typed.user.clone()).or_else(|| visit.asked("user"));
    let wanted = wanted.and_then(|user| user.parse::<u64>().ok());
    let chosen = users.iter().find(|user| Some(user.id) == wanted).or_else(|| users.first());
    let sender = chosen.map(|user| user.senders.first().cloned().unwrap_or_else(|| format!("test@{}", user.domain)));
    let (sender, to) = match typed {
        Some(typed) => (typed.sender, typed.to),
        None => (sender.unwrap_or_default(), visit.visitor.member.email.clone()),
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = TestPage {
        page: visit.page(),
        chosen: chosen.map(|user| (user.id, user.domain.clone())),
        users: choices(&users, chosen),
        sender,
        to,
        refused,
    };
    Ok(shown_as(status, &shown))
}

async fn send(Signed { visit, form: typed }: Signed<TestForm>) -> Result<Response, Failure> {
    let account = Some(Id::new(visit.account_number()?));
    let user: SmtpUserView = visit.ask(Operation::SmtpUserShow { user: typed.user.clone() }).await?;
    // from now on, so that nothing of the message is missed
    let since = Operation::ActivitySince { cursor: None, filter: ActivityFilter::default(), seconds: 0 };
    let since: ActivityChangesView = visit.ask(since).await?;
    let message = Box::new(message(&visit, &user, &typed));
    let refused = match visit.try_to::<SubmissionView>(Operation::MessageSubmit { message }).await? {
        Err(fault) => {
            Refused { why: Why::default(), words: Some(Refusal::of(visit.words(), &fault)), reply: String::new() }
        }
        Ok(view) => match (view.why_nothing(), &view.message) {
            (Some(reply), _) => Refused {
                why: reasons::of_refusal(visit.words(), &reply.reference, &reply.text),
                words: None,
                reply: reply.to_string(),
            },
            (None, message) => {
                let message = message.clone().unwrap_or_default();
                let filter = ActivityFilter { account, message: message.parse().ok(), ..ActivityFilter::default() };
                let cursor = Some(since.cursor);
                let rows = Operation::ActivitySince { cursor, filter, seconds: ROWS_SECONDS };
                visit.ask::<ActivityChangesView>(rows).await?;
                return Ok(on_to(&format!("/test-email/{message}")));
            }
        },
    };
    form(&visit, Some(typed), Some(refused)).await
}

/// The message, in the member's language.
fn message(visit: &Visit, user: &SmtpUserView, typed: &TestForm) -> GivenMessage {
    let (member, language) = (&visit.visitor.member, visit.words().language);
    let letter = letters::test(language, &member.name, &user.domain, &user.name);
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let parts = MessageParts {
        from: Mailbox { address: typed.sender.trim().to_owned(), name: Some(user.name.clone()) },
        to: vec![Mailbox::parse(&typed.to)],
        subject: letter.subject,
        text: Some(letter.text),
        fields: vec![field("Auto-Submitted", "auto-generated"), field("Content-Language", language.tag())],
        ..MessageParts::default()
    };
    let content = GivenContent::Parts(Box::new(parts));
    GivenMessage { user: user.id.to_string(), reverse_path: None, recipients: Vec::new(), content }
}

#[derive(Template)]
#[template(path = "test-email-sent.html")]
struct SentPage {
    page: Page,
    message: String,
    row: u64,
    recipient: String,
    slug: &'static str,
    status: String,
    /// The class of the note that says where it stands.
    note: &'static str,
    why: Why,
    reply: String,
    happened: Vec<Happened>,
    /// Nothing more is to come.
    is_over: bool,
}

async fn progress(Path(message): Path<String>, visit: Visit) -> Result<Response, Failure> {
    let Ok(id) = message.parse::<MessageId>() else { return Err(visit.nothing()) };
    let account = Some(Id::new(visit.account_number()?));
    let filter = ActivityFilter { account, message: Some(id), limit: 1, ..ActivityFilter::default() };
    let rows: Vec<ActivityView> = visit.ask(Operation::Activity { filter }).await?;
    let Some(row) = rows.first() else { return Err(visit.nothing()) };
    let detail: ActivityDetailView = visit.ask(Operation::ActivityShow { row: row.row }).await?;
    let words = visit.words();
    let mut steps = happened(words, &detail);
    let tried = steps.iter().position(|step| step.is_attempt).unwrap_or(steps.len());
    steps.insert(tried, signed(&visit, &detail).await?);
    let (note, why) = in_brief(words, &detail.row);
    let slug = slug(&detail.row.status);
    Ok(shown(&SentPage {
        page: visit.page(),
        message,
        row: detail.row.row,
        recipient: detail.row.recipient.clone(),
        slug,
        status: words.t(&format!("status-{slug}")),
        note,
        why,
        reply: detail.row.reply,
        happened: steps,
        is_over: matches!(slug, "delivered" | "soft" | "hard" | "complaint" | "rejected"),
    }))
}

/// By which keys it is signed, or that it is not, and what to do.
async fn signed(visit: &Visit, detail: &ActivityDetailView) -> Result<Happened, Failure> {
    let words = visit.words();
    let Some(domain) = detail.row.domain else {
        return Ok(step("keys", "", words.t("test-email-unsigned"), Vec::new()));
    };
    let domain: DomainView = visit.ask(Operation::DomainShow { domain: domain.to_string() }).await?;
    let keys: Vec<_> = domain.keys.iter().filter(|key| key.signs).map(|key| key.selector.as_str()).collect();
    if keys.is_empty() {
        let told = words.with("test-email-unsigned-what", "domain", domain.name.as_str());
        return Ok(step("keys", "warn", words.t("test-email-unsigned"), vec![told]));
    }
    let told = words.filled("test-email-signed-what", &[("domain", &domain.name), ("selectors", &keys.join(", "))]);
    Ok(step("keys", "ok", words.t("test-email-signed"), vec![told]))
}
