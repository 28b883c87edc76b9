//! Messages that are handed in, as JSON or as they are (RFC 5322).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header;
use relay::api_key::ApiKey;
use relay::id::Id;
use relay::service::operation::Operation;
use relay::service::view::SubmissionView;
use relay::service::{Fault, GivenContent, GivenFile, GivenMessage, MessageParts, Octets};
use serde::Deserialize;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::asking::{Asking, Outcome};
use super::few::{Few, FewFields, MailboxNew, Mailboxes, MailboxesNew, OneMailbox};
use super::problem::Problem;
use crate::shares::Share;

/// The type of a message that is sent as it is.
const RAW: &str = "message/rfc822";
/// Octets of a body besides those of its message.
const FRAME_OCTETS: u64 = 64 * 1024;

/// A message: `raw`, or what it is to be made of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageNew {
    /// The SMTP user that sends it, by number or username.
    user: String,
    /// Header section and body (RFC 5322), in base64; then nothing but `user` and `envelope` is given beside it.
    #[schema(value_type = Option<String>)]
    raw: Option<Octets>,
    /// The envelope, where it is not what the message names.
    #[serde(default)]
    envelope: EnvelopeNew,
    /// From: `shop@example.com`, `Shop <shop@example.com>`, or an object.
    #[schema(value_type = Option<MailboxNew>)]
    from: Option<OneMailbox>,
    /// To.
    #[schema(value_type = Option<MailboxesNew>)]
    #[serde(default)]
    to: Mailboxes,
    /// Cc.
    #[schema(value_type = Option<MailboxesNew>)]
    #[serde(default)]
    cc: Mailboxes,
    /// Recipients that no other sees.
    #[schema(value_type = Option<MailboxesNew>)]
    #[serde(default)]
    bcc: Mailboxes,
    /// Reply-To.
    #[schema(value_type = Option<MailboxesNew>)]
    #[serde(default)]
    reply_to: Mailboxes,
    /// Subject.
    subject: Option<String>,
    /// The text.
    text: Option<String>,
    /// The same as HTML.
    html: Option<String>,
    /// Files.
    #[schema(value_type = Vec<FileNew>)]
    #[serde(default)]
    attachments: Few<FileNew>,
    /// Further fields of the header section.
    #[schema(value_type = BTreeMap<String, String>)]
    #[serde(default)]
    headers: FewFields,
}

/// The envelope of a message.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvelopeNew {
    /// Where failures are told; absent: to the address in From; empty: to nobody.
    from: Option<String>,
    /// The recipients; none: those in To, Cc and Bcc.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    to: Few<String>,
}

/// A file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileNew {
    /// Its name.
    name: String,
    /// Its type; absent: `application/octet-stream`.
    #[serde(rename = "type")]
    media_type: Option<String>,
    /// What is in it, in base64.
    #[schema(value_type = String)]
    content: Octets,
    /// The name that HTML shows it by (`cid:…`); absent: it is attached.
    content_id: Option<String>,
}

/// What is said beside a message that is sent as it is.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Beside {
    /// With a body of `message/rfc822`: the SMTP user that sends it, by number or username.
    #[param(required = false)]
    user: String,
    /// Likewise: where failures are told; absent: to the address in From; empty: to nobody.
    from: Option<String>,
    /// Likewise: a recipient; may be given several times; never: those in To, Cc and Bcc.
    #[serde(default)]
    #[param(required = false)]
    to: Vec<String>,
}

/// Hands a message in, to be sent as one of the account's SMTP users: judged as over SMTP, and on disk before the answer.
/// Recipients that are refused are told in the answer; where all are, or the message itself is, it is a problem.
#[utoipa::path(post, path = "/messages", operation_id = "MessageSubmit", tag = "Messages", params(Beside),
    request_body(content((MessageNew = "application/json"), (String = "message/rfc822"))),
    responses((status = 200, body = SubmissionView)))]
pub(super) async fn message_submit(
    State(api): State<Api>,
    asking: Asking,
    request: Request,
) -> Outcome<SubmissionView> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (held, body) = read(&api, &asking, request).await?;
    // a task of its own: whoever asked may go away, and the room is given back when the message has been let go
    let going = tokio::spawn(async move {
        let submitted = submit(asking, &kind, &query, body).await;
        drop(held);
        submitted
    });
    let broke_off = |_| Fault::unavailable("The request broke off inside.", "The log of the relay says more.");
    let view = going.await.map_err(broke_off)??;
    if view.accepted.is_empty() { Err(Problem::refused(view)) } else { Ok(Json(view)) }
}

/// Hands in what came.
async fn submit(asking: Asking, kind: &str, query: &str, body: Bytes) -> Result<SubmissionView, Problem> {
    let message = match kind {
        RAW => {
            let beside: Beside = serde_html_form::from_str(query).map_err(|error| {
                Problem::unreadable(&format!("What stands behind the `?` cannot be read: {error}."))
            })?;
            let content = GivenContent::Raw(Octets(body));
            GivenMessage { user: beside.user, reverse_path: beside.from, recipients: beside.to, content }
        }
        "application/json" => {
            let reading = tokio::task::spawn_blocking(move || serde_json::from_slice::<MessageNew>(&body));
            let read = reading.await.map_err(|_| Problem::unreadable("The body could not be read."))?;
            read.map_err(|error| Problem::unreadable(&format!("The body is not as the document says: {error}.")))?
                .given()?
        }
        _ => {
            return Err(Problem::unknown_kind("Send application/json or message/rfc822, and say so in Content-Type."));
        }
    };
    let Json(view) = asking.run::<SubmissionView>(Operation::MessageSubmit { message: Box::new(message) }).await?;
    Ok(view)
}

/// The whole body, in bounded memory and time, and the room that it takes.
async fn read(api: &Api, asking: &Asking, request: Request) -> Result<(Share<Id<ApiKey>>, Bytes), Problem> {
    // base64 makes a third more
    let most = api.limits.message_octets_max.saturating_mul(3) / 2 + FRAME_OCTETS;
    let most = most.min(api.limits.api_key_held_octets_max);
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(Problem::too_large(most));
    }
    let octets = length.unwrap_or(most);
    let held = asking.hold(octets)?;
    let patience = api.body_patience + Duration::from_secs(octets / api.limits.web_body_octets_per_second);
    let reading = axum::body::to_bytes(request.into_body(), usize::try_from(octets).unwrap_or(usize::MAX));
    let body = tokio::time::timeout(patience, reading).await.map_err(|_| Problem::late())?;
    let body = body.map_err(|_| match length {
        None => Problem::too_large(most),
        Some(_) => Problem::unreadable("The body broke off."),
    })?;
    Ok((held, body))
}

impl MessageNew {
    fn given(self) -> Result<GivenMessage, Problem> {
        let EnvelopeNew { from: reverse_path, to: recipients } = self.envelope;
        let is_in_parts = self.from.is_some() || self.text.is_some() || self.html.is_some();
        let content = match (self.raw, self.from) {
            (Some(_), _) if is_in_parts => {
                return Err(Problem::unreadable("`raw` is a whole message: it has its From and its text already."));
            }
            (Some(raw), _) => GivenContent::Raw(raw),
            (None, None) => return Err(Problem::unreadable("The message has no `from`, and is not given as `raw`.")),
            (None, Some(from)) => GivenContent::Parts(Box::new(MessageParts {
                from: from.0,
                to: self.to.0,
                cc: self.cc.0,
                bcc: self.bcc.0,
                reply_to: self.reply_to.0,
                subject: self.subject.unwrap_or_default(),
                text: self.text,
                html: self.html,
                attachments: self.attachments.0.into_iter().map(FileNew::given).collect(),
                fields: self.headers.0,
            })),
        };
        Ok(GivenMessage { user: self.user, reverse_path, recipients: recipients.0, content })
    }
}

impl FileNew {
    fn given(self) -> GivenFile {
        let media_type = self.media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        GivenFile { name: self.name, media_type, content: self.content, content_id: self.content_id }
    }
}
