//! What is shown of test inboxes: a message that the sandbox took, read as its recipient's program would.

use message::dkim::{self, KeyRecord, Verdict};
use message::header;
use message::links::{self, Link, Place};
use message::mime::{Part, Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ViewPage;
use crate::directory::Directory;
use crate::moment;
use crate::sandbox::Captured;
use crate::service::Octets;
use crate::verification::RecordState;

/// Octets of the text, and of the HTML, that are shown.
pub const BODY_OCTETS_MAX: usize = 256 * 1024;
/// Fields of the header section that are shown.
const FIELDS_MAX: usize = 100;
/// Octets of one of them.
const FIELD_OCTETS_MAX: usize = 2 * 1024;

views! {
    /// A message that the sandbox took.
    CapturedView {
        /// Its id.
        message: String,
        /// The number of the account.
        account: u64,
        /// The number of the SMTP user that sent it, or whose message failed.
        user: Option<u64>,
        /// Of a bounce mail: the message that failed.
        about: Option<String>,
        /// When it was taken.
        at: String,
        /// The envelope's sender; empty where failures are told to nobody.
        reverse_path: String,
        /// The recipients that it was taken for.
        recipients: Vec<String>,
        /// The Subject.
        subject: String,
        /// The address in From.
        from: String,
        /// Octets, signatures included.
        octets: u64,
    }
    /// Such a message with what is in it.
    CapturedDetailView {
        /// What is known of it.
        captured: CapturedView,
        /// The fields of its header section, in their order.
        headers: Vec<HeaderView>,
        /// Its text.
        text: Option<String>,
        /// Its HTML, as it came: nothing is taken out of it.
        html: Option<String>,
        /// Its parts.
        parts: Vec<PartView>,
        /// Where its text and HTML lead.
        links: Vec<LinkView>,
        /// Its DKIM signatures.
        signatures: Vec<SignatureView>,
        /// Whether there is more of its fields, parts, text or HTML than is shown here.
        cut: bool,
    }
    /// A field of a header section.
    HeaderView {
        /// Its name.
        name: String,
        /// Its value on one line, as it is written.
        value: String,
    }
    /// A part of a message.
    PartView {
        /// Its type.
        media_type: String,
        /// Its file name; empty where it has none.
        name: String,
        /// `inline`, `attachment`, …; empty where nothing is said.
        disposition: String,
        /// The name that HTML shows it by (`cid:…`); empty where it has none.
        content_id: String,
        /// Octets, decoded.
        octets: u64,
    }
    /// An address that a message leads to.
    LinkView {
        /// `html`, `text`, or `loaded`: a picture or style that the HTML wants.
        place: String,
        /// The address.
        address: String,
    }
    /// A DKIM signature.
    SignatureView {
        /// Who signs.
        domain: String,
        /// With which key.
        selector: String,
        /// How.
        algorithm: String,
        /// `pass`, `body_changed`, `wrong`, `expired`, `no_key` (it is none of the account's) or `unchecked` (it is of a kind that is not looked at).
        verdict: String,
        /// What DNS last said of the key's record: `right`, `absent`, `wrong`, `unknown`; none: not asked yet, or not ours.
        finding: Option<String>,
    }
    /// A message as it would have been sent.
    SourceView {
        /// Its id.
        message: String,
        /// Header section and body, signatures in front, in base64.
        #[schema(value_type = String)]
        source: Octets,
    }
}

impl From<&Captured> for CapturedView {
    fn from(captured: &Captured) -> Self {
        CapturedView {
            message: captured.message.to_string(),
            account: captured.account.number(),
            user: captured.user.map(crate::id::Id::number),
            about: captured.about.map(|message| message.to_string()),
            at: moment::text(captured.at),
            reverse_path: captured.reverse_path.clone(),
            recipients: captured.recipients.clone(),
            subject: captured.subject.clone(),
            from: captured.from.clone(),
            octets: captured.octets,
        }
    }
}

impl CapturedDetailView {
    /// A message read: its parts decoded, its signatures checked with the keys that its account has now.
    pub fn new(captured: &Captured, content: &[u8], directory: &Directory) -> Self {
        let parts = Parts::of(content);
        let (headers, is_cut) = headers(content);
        let mut cut = is_cut || parts.is_cut;
        let mut body = |part: Option<&Part<'_>>| {
            let (text, is_whole) = part?.text(BODY_OCTETS_MAX);
            cut |= !is_whole;
            Some(text)
        };
        let (text, html) = (body(parts.text()), body(parts.html()));
        let in_html = html.as_deref().map(links::in_html).unwrap_or_default();
        let in_text = text.as_deref().map(links::in_text).unwrap_or_default();
        CapturedDetailView {
            captured: CapturedView::from(captured),
            headers,
            parts: parts.parts.iter().map(PartView::from).collect(),
            links: in_html.iter().chain(&in_text).map(LinkView::from).collect(),
            signatures: signatures(captured, content, directory),
            text,
            html,
            cut,
        }
    }
}

/// The fields of the header section, and whether that is less than all of it.
fn headers(content: &[u8]) -> (Vec<HeaderView>, bool) {
    let mut cut = false;
    let mut fields = header::fields(&content[..header::section_octets(content)]);
    let shown = fields.by_ref().take(FIELDS_MAX).map(|field| {
        let mut value = String::from_utf8_lossy(&field.unfolded()).into_owned();
        if value.len() > FIELD_OCTETS_MAX {
            value.truncate(value.floor_char_boundary(FIELD_OCTETS_MAX));
            cut = true;
        }
        HeaderView { name: String::from_utf8_lossy(field.name).into_owned(), value }
    });
    let shown = shown.collect();
    (shown, cut || fields.next().is_some())
}

fn signatures(captured: &Captured, content: &[u8], directory: &Directory) -> Vec<SignatureView> {
    let own = || directory.domains.values().filter(|domain| domain.account == captured.account);
    // the record to publish of a key of the account, and what DNS last said of it
    let key = |name: &str, selector: &str| {
        let mut named = own().filter(|domain| domain.name.eq_ignore_ascii_case(name));
        named.find_map(|domain| {
            let key = domain.keys.iter().find(|key| key.selector == selector)?;
            let finding = domain.check.as_ref().and_then(|check| check.of(selector)).map(|state| match state {
                RecordState::Right => "right",
                RecordState::Absent => "absent",
                RecordState::Wrong { .. } => "wrong",
                RecordState::Unknown { .. } => "unknown",
            });
            Some((key.record.clone(), finding))
        })
    };
    let record = |domain: &str, selector: &str| {
        key(domain, selector).map_or(KeyRecord::Absent, |(record, _)| KeyRecord::Found(record))
    };
    let checked = dkim::verify(content, captured.at.0 / 1_000, record);
    let shown = checked.into_iter().map(|signature| SignatureView {
        finding: key(&signature.domain, &signature.selector).and_then(|(_, finding)| finding).map(str::to_owned),
        verdict: verdict(signature.verdict).to_owned(),
        domain: signature.domain,
        selector: signature.selector,
        algorithm: signature.algorithm,
    });
    shown.collect()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::BodyChanged => "body_changed",
        Verdict::Wrong => "wrong",
        Verdict::Expired => "expired",
        // of its own keys nobody has to be asked
        Verdict::NoKey | Verdict::Unknown => "no_key",
        Verdict::Unchecked => "unchecked",
    }
}

impl From<&Part<'_>> for PartView {
    fn from(part: &Part<'_>) -> Self {
        PartView {
            media_type: part.media_type.clone(),
            name: part.name.clone(),
            disposition: part.disposition.clone(),
            content_id: part.content_id.clone(),
            octets: part.decoded().len() as u64,
        }
    }
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        let place = match link.place {
            Place::Html => "html",
            Place::Loaded => "loaded",
            Place::Text => "text",
        };
        LinkView { place: place.to_owned(), address: link.address.clone() }
    }
}
