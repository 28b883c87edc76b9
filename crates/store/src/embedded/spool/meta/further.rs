//! What version 2 of a Commit or Copy has behind version 1: parts, each under its number. One that says nothing is not
//! written.

use std::borrow::Cow;

use relay::notification::Requests;
use relay::priority::Priority;
use relay::queue::{Envelope, TlsWish};
use serde::{Deserialize, Serialize};
use smtp::dsn::{self, Notify, Ret};
use smtp::envelope::RcptParameters;

use super::{MetaError, encoded};

/// Numbers of the parts. One is never given twice.
const REQUESTS: u8 = 1;
const PRIORITY: u8 = 2;
const TLS_WISH: u8 = 4;
const DAYS_AHEAD: u8 = 6;

/// What stands in the part about TLS.
const REQUIRED: u8 = 1;
const WAIVED: u8 = 2;

/// What the client asked about notifications (RFC 3461).
#[derive(Serialize, Deserialize)]
struct RequestsV2<'a> {
    /// Whether RET is FULL.
    returns_all: Option<bool>,
    #[serde(borrow)]
    envid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recipients: Vec<AskedV2<'a>>,
    #[serde(borrow)]
    suppressed: Vec<AskedV2<'a>>,
}

#[derive(Serialize, Deserialize)]
struct AskedV2<'a> {
    notify: Option<u8>,
    #[serde(borrow)]
    orcpt: Option<Cow<'a, str>>,
}

/// Whether an envelope says what version 1 could not.
pub(super) fn is_needed(envelope: &Envelope) -> bool {
    let is_asked = envelope.requests.is_some() || envelope.tls_wish != TlsWish::AsAsked;
    is_asked || envelope.priority != Priority::NORMAL || envelope.days_ahead != 0
}

/// The meta part with the parts behind it, where there are any.
pub(super) fn behind(mut meta: Vec<u8>, envelope: &Envelope) -> Vec<u8> {
    let requests = envelope.requests.as_deref().map(|requests| encoded(&requests_out(requests)));
    let is_urgent_or_not = envelope.priority != Priority::NORMAL;
    let priority = is_urgent_or_not.then(|| encoded(&envelope.priority.value()));
    let requests = requests.iter().map(|octets| (REQUESTS, octets.as_slice()));
    let priority = priority.iter().map(|octets| (PRIORITY, octets.as_slice()));
    let tls_wish = match envelope.tls_wish {
        TlsWish::AsAsked => None,
        TlsWish::Required => Some((TLS_WISH, &[REQUIRED][..])),
        TlsWish::Waived => Some((TLS_WISH, &[WAIVED][..])),
    };
    let days_ahead = (envelope.days_ahead != 0).then(|| encoded(&envelope.days_ahead));
    let days_ahead = days_ahead.iter().map(|octets| (DAYS_AHEAD, octets.as_slice()));
    let parts: Vec<(u8, &[u8])> = requests.chain(priority).chain(tls_wish).chain(days_ahead).collect();
    if !parts.is_empty() {
        meta.extend_from_slice(&encoded(&parts));
    }
    meta
}

/// The envelope with what stands behind its meta part.
pub(super) fn read(octets: &[u8], mut envelope: Envelope) -> Result<Envelope, MetaError> {
    if octets.is_empty() {
        return Ok(envelope);
    }
    let parts: Vec<(u8, &[u8])> = postcard::from_bytes(octets)?;
    for (number, octets) in parts {
        match number {
            REQUESTS => envelope.requests = Some(Box::new(requests_in(postcard::from_bytes(octets)?)?)),
            TLS_WISH => {
                envelope.tls_wish = match octets {
                    [REQUIRED] => TlsWish::Required,
                    [WAIVED] => TlsWish::Waived,
                    other => return Err(MetaError(format!("a wish about TLS {other:?}"))),
                }
            }
            PRIORITY => {
                let value: i8 = postcard::from_bytes(octets)?;
                let priority = Priority::new(value).ok_or_else(|| MetaError(format!("priority {value}")))?;
                envelope.priority = priority;
            }
            DAYS_AHEAD => envelope.days_ahead = postcard::from_bytes(octets)?,
            number => return Err(MetaError(format!("part {number} of an envelope is not known"))),
        }
    }
    Ok(envelope)
}

fn requests_out(requests: &Requests) -> RequestsV2<'_> {
    let asked = |asked: &'_ RcptParameters| AskedV2 {
        notify: asked.notify.map(Notify::code),
        orcpt: asked.orcpt.as_deref().map(|orcpt| Cow::Owned(orcpt.to_owned())),
    };
    RequestsV2 {
        returns_all: requests.ret.map(|ret| ret == Ret::Full),
        envid: requests.envid.as_deref().map(Cow::Borrowed),
        recipients: requests.recipients.iter().map(asked).collect(),
        suppressed: requests.suppressed.iter().map(asked).collect(),
    }
}

fn requests_in(disk: RequestsV2<'_>) -> Result<Requests, MetaError> {
    let unsound = |what: &str, text: &str| MetaError(format!("{what} {text:?}"));
    let asked = |disk: AskedV2<'_>| {
        let code = |code| Notify::of_code(code).ok_or_else(|| unsound("NOTIFY", &code.to_string()));
        let orcpt = |text: Cow<'_, str>| dsn::orcpt(&text, true).ok_or_else(|| unsound("ORCPT", &text));
        Ok(RcptParameters { notify: disk.notify.map(code).transpose()?, orcpt: disk.orcpt.map(orcpt).transpose()? })
    };
    let envid = |text: Cow<'_, str>| dsn::envid(&text).ok_or_else(|| unsound("ENVID", &text));
    Ok(Requests {
        ret: disk.returns_all.map(|all| if all { Ret::Full } else { Ret::Headers }),
        envid: disk.envid.map(envid).transpose()?,
        recipients: disk.recipients.into_iter().map(asked).collect::<Result<_, MetaError>>()?,
        suppressed: disk.suppressed.into_iter().map(asked).collect::<Result<_, MetaError>>()?,
    })
}
