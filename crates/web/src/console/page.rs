//! The frame of every page, and the pages that say why there is nothing to show.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use relay::language::Language;
use relay::power::{Need, Power};
use relay::service::{Fault, FaultKind};

use super::Demonstration;
use super::assets::{ICON, SCRIPT, STYLES};
use super::refusal::Refusal;
use super::visit::Visit;
use super::words::Words;

/// A page as an answer.
pub(super) fn shown(template: &impl Template) -> Response {
    shown_as(StatusCode::OK, template)
}

/// The same with another status.
pub(super) fn shown_as(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// One entry of the menu.
pub(super) struct Entry {
    pub(super) path: &'static str,
    pub(super) icon: &'static str,
    pub(super) name: String,
    pub(super) is_here: bool,
}

/// A part of the menu; the first has no name.
pub(super) struct Part {
    pub(super) name: Option<String>,
    pub(super) entries: Vec<Entry>,
}

/// How much of the quota is used.
pub(super) struct QuotaBar {
    pub(super) used: String,
    pub(super) recipients: u64,
    pub(super) quota: String,
    /// 0 to 100, with one decimal.
    pub(super) percent: String,
    pub(super) percent_text: String,
    pub(super) renews: String,
    /// `""`, `high` or `full`.
    pub(super) class: &'static str,
}

/// What stands around a page.
pub(super) struct Page {
    pub(super) words: Words,
    /// What its forms carry; empty where nobody is signed in.
    pub(super) csrf: String,
    pub(super) member: String,
    pub(super) initials: String,
    /// The account looked at, or the relay.
    pub(super) place: String,
    /// Somebody of the operator looks in the account's place.
    pub(super) acting: bool,
    pub(super) is_operator: bool,
    pub(super) suspended: bool,
    /// An automatic brake of the account is on.
    pub(super) braked: bool,
    /// Why the account has no plan, where it has none.
    pub(super) no_plan: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) quota: Option<QuotaBar>,
    pub(super) hostname: String,
    /// Where it is a demonstration: what is said of it.
    pub(super) demonstration: Option<Demonstration>,
    /// Whether the visitor may change domains, SMTP users and settings.
    pub(super) manages: bool,
}

/// A part of a menu as it stands here: the message that names it, and of each entry path, icon, the message that names it,
/// what it needs.
type MenuPart = (Option<&'static str>, &'static [(&'static str, &'static str, &'static str, Need)]);

/// The menu of an account.
const OF_ACCOUNT: [MenuPart; 3] = [
    (
        None,
        &[
            ("/", "dashboard", "menu-dashboard", Need::Member),
            ("/activity", "activity", "menu-activity", Need::Power(Power::Activity)),
            ("/connections", "connections", "menu-connections", Need::Power(Power::Activity)),
            ("/inbox", "inbox", "menu-inbox", Need::Power(Power::Activity)),
        ],
    ),
    (
        Some("menu-part-sending"),
        &[
            ("/domains", "domains", "menu-domains", Need::Power(Power::Domains)),
            ("/suppressions", "suppressions", "menu-suppressions", Need::Power(Power::Administration)),
            ("/connection-settings", "settings", "menu-settings", Need::Power(Power::Domains)),
        ],
    ),
    (
        Some("menu-part-account"),
        &[
            ("/members", "members", "menu-members", Need::Power(Power::Administration)),
            ("/api-keys", "keys", "menu-keys", Need::Power(Power::Administration)),
            ("/webhooks", "webhooks", "menu-webhooks", Need::Power(Power::Administration)),
            ("/audit", "audit", "menu-audit", Need::Power(Power::Administration)),
            ("/pricing", "pricing", "menu-pricing", Need::Member),
            ("/account", "user", "menu-account", Need::Power(Power::Domains)),
        ],
    ),
];

/// The menu of the operator.
const OF_OPERATOR: [MenuPart; 2] = [
    (
        None,
        &[
            ("/operator", "dashboard", "menu-overview", Need::Operator),
            ("/operator/accounts", "accounts", "menu-accounts", Need::Operator),
            ("/operator/plans", "pricing", "menu-plans", Need::Operator),
            ("/operator/requests", "clock", "menu-requests", Need::Operator),
            ("/operator/queue", "queue", "menu-queue", Need::Operator),
            ("/operator/brakes", "alert", "menu-brakes", Need::Operator),
            ("/operator/blocks", "shield", "menu-blocks", Need::Operator),
            ("/operator/certificates", "lock", "menu-certificates", Need::Operator),
            ("/operator/zone", "domains", "menu-zone", Need::Operator),
        ],
    ),
    (
        Some("menu-part-relay"),
        &[
            ("/operator/members", "members", "menu-people", Need::Operator),
            ("/operator/api-keys", "keys", "menu-keys", Need::Operator),
            ("/operator/audit", "audit", "menu-audit", Need::Operator),
            ("/operator/limits", "settings", "menu-limits", Need::Operator),
        ],
    ),
];

impl Page {
    /// The frame for somebody who is signed in.
    pub(super) fn of(visit: &Visit) -> Page {
        let (words, member) = (visit.words().clone(), &visit.visitor.member);
        let is_operator = visit.may(Need::Operator);
        let here = visit.here.split('?').next().unwrap_or_default();
        let part = |(name, entries): &MenuPart| Part {
            name: name.map(|name| words.t(name)),
            entries: entries
                .iter()
                .filter(|(.., need)| visit.may(*need))
                .map(|(path, icon, name, _)| Entry { path, icon, name: words.t(name), is_here: leads(path, here) })
                .collect(),
        };
        let parts: Vec<Part> =
            if is_operator { OF_OPERATOR.iter().map(part).collect() } else { OF_ACCOUNT.iter().map(part).collect() };
        Page {
            csrf: visit.visitor.form_key.text().to_owned(),
            member: member.name.clone(),
            initials: initials(&member.name),
            place: visit.account.as_ref().map_or_else(|| words.t("place-relay"), |account| account.name.clone()),
            acting: visit.visitor.sign_in.acting_for.is_some(),
            is_operator,
            suspended: visit.account.as_ref().is_some_and(|account| account.state == "suspended"),
            braked: visit.account.as_ref().is_some_and(|account| account.brakes > 0),
            no_plan: visit.account.as_ref().and_then(|account| super::pricing::no_plan(&words, account)),
            parts: parts.into_iter().filter(|part| !part.entries.is_empty()).collect(),
            quota: visit.account.as_ref().and_then(|account| quota_bar(&words, account)),
            hostname: visit.console.settings.hostname.clone(),
            demonstration: visit.console.settings.demonstration.clone(),
            manages: visit.may(Need::Power(Power::Domains)),
            words,
        }
    }

    /// The frame for whoever is not.
    pub(super) fn outside(language: Language, hostname: &str) -> Page {
        Page {
            words: Words::new(language),
            csrf: String::new(),
            member: String::new(),
            initials: String::new(),
            place: String::new(),
            acting: false,
            is_operator: false,
            suspended: false,
            braked: false,
            no_plan: None,
            parts: Vec::new(),
            quota: None,
            hostname: hostname.to_owned(),
            demonstration: None,
            manages: false,
        }
    }

    /// The message of this name.
    pub(super) fn t(&self, id: &str) -> String {
        self.words.t(id)
    }

    /// The message of this name with a text put in.
    pub(super) fn with(&self, id: &str, name: &str, value: &str) -> String {
        self.words.with(id, name, value)
    }

    /// The message of this name for a count, which it shows as `number`.
    pub(super) fn count(&self, id: &str, count: usize) -> String {
        self.words.count(id, count as u64)
    }

    pub(super) fn language(&self) -> &'static str {
        self.words.language.tag()
    }

    /// The tag of the other language.
    pub(super) fn other(&self) -> &'static str {
        self.words.other().tag()
    }

    pub(super) fn styles(&self) -> &'static str {
        &STYLES.name
    }

    pub(super) fn script(&self) -> &'static str {
        &SCRIPT.name
    }

    pub(super) fn icon(&self) -> &'static str {
        &ICON.name
    }

    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// A fault as a page.
    pub(super) fn failure(self, fault: Fault) -> Failure {
        let (status, title) = match fault.kind {
            FaultKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "failure-invalid"),
            FaultKind::NotFound => (StatusCode::NOT_FOUND, "failure-not-found"),
            FaultKind::Conflict => (StatusCode::CONFLICT, "failure-conflict"),
            FaultKind::Forbidden => (StatusCode::FORBIDDEN, "failure-forbidden"),
            FaultKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "failure-unavailable"),
        };
        let said = Refusal::parts(&self.words, &fault);
        Failure::Told(Box::new(Told { page: self, status, title, said }))
    }

    /// The page that says, in its own language, why something is not to be had.
    pub(super) fn failure_because(self, status: StatusCode, title: &'static str, why: String) -> Failure {
        Failure::Told(Box::new(Told { page: self, status, title, said: vec![Refusal::Ours(why)] }))
    }

    /// The page is not for whoever looks.
    pub(super) fn failure_forbidden(self) -> Failure {
        let (status, title) = (StatusCode::FORBIDDEN, "failure-forbidden");
        Failure::Told(Box::new(Told { page: self, status, title, said: Vec::new() }))
    }

    /// They ask for more than one member may.
    pub(super) fn failure_too_many(self) -> Failure {
        let (status, title) = (StatusCode::TOO_MANY_REQUESTS, "failure-too-many");
        Failure::Told(Box::new(Told { page: self, status, title, said: Vec::new() }))
    }

    /// A form that was sent from a page that is too old, or from another site.
    pub(super) fn failure_stale(self) -> Failure {
        Failure::Told(Box::new(Told {
            page: self,
            status: StatusCode::FORBIDDEN,
            title: "failure-stale",
            said: Vec::new(),
        }))
    }
}

/// Whether a menu entry stands for the page at `here`.
fn leads(path: &str, here: &str) -> bool {
    let below =
        || path != "/" && path != "/operator" && here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    here == path || below()
}

/// A word of the relay's as a part of a message's name.
pub(super) fn slug(word: &str) -> String {
    word.replace(['_', '.', ' '], "-")
}

fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect::<String>().to_uppercase()
}

/// How much of its quota an account has used; none where it has no limit, or no plan.
pub(super) fn quota_bar(words: &Words, account: &relay::service::view::AccountView) -> Option<QuotaBar> {
    let quota = account.quota.filter(|_| account.no_plan.is_none())?;
    let part = if quota == 0 { 1.0 } else { account.used as f64 / quota as f64 };
    let class = match () {
        () if account.used >= quota => "full",
        () if part > 0.8 => "high",
        () => "",
    };
    let shown = part.min(1.0);
    Some(QuotaBar {
        used: words.number(account.used),
        recipients: quota,
        quota: words.number(quota),
        percent: format!("{:.1}", shown * 100.0),
        percent_text: words.percent(Some(shown)),
        renews: words.day(&account.renews_at),
        class,
    })
}

/// Why there is nothing to show.
pub(super) enum Failure {
    /// Nobody is signed in: to the entrance, and from there to this place.
    Entrance(String),
    /// It is somewhere else.
    Elsewhere(String),
    /// A page that says why.
    Told(Box<Told>),
}

/// What such a page says.
pub(super) struct Told {
    page: Page,
    status: StatusCode,
    title: &'static str,
    /// More of it, the first of which is what it is about.
    said: Vec<Refusal>,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    page: &'a Page,
    title: String,
    what: String,
    said: &'a [Refusal],
}

impl Failure {
    /// There is nothing here.
    pub(super) fn nowhere(language: Language) -> Failure {
        let page = Page::outside(language, "");
        Failure::Told(Box::new(Told {
            page,
            status: StatusCode::NOT_FOUND,
            title: "failure-not-found",
            said: Vec::new(),
        }))
    }

    /// What a browser sent is no form of ours.
    pub(super) fn unreadable(why: &str) -> Failure {
        Failure::unreadable_as(StatusCode::BAD_REQUEST, why)
    }

    /// The same with a status of its own: of a form that is too large.
    pub(super) fn unreadable_as(status: StatusCode, why: &str) -> Failure {
        tracing::debug!(why, "a form could not be read");
        let page = Page::outside(Language::default(), "");
        Failure::Told(Box::new(Told { page, status, title: "failure-unreadable", said: Vec::new() }))
    }

    /// The same in the frame of a visitor.
    pub(super) fn for_visit(self, visit: &Visit) -> Failure {
        match self {
            Failure::Told(told) => Failure::Told(Box::new(Told { page: visit.page(), ..*told })),
            other => other,
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Page::outside(Language::default(), "").failure(fault)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Failure::Entrance(next) => {
                let next = percent_encoding::utf8_percent_encode(&next, percent_encoding::NON_ALPHANUMERIC);
                Redirect::to(&format!("/sign-in?next={next}")).into_response()
            }
            Failure::Elsewhere(path) => Redirect::to(&path).into_response(),
            Failure::Told(told) => {
                let Told { page, status, title, said } = *told;
                let (title, what) = (page.t(title), page.t(&format!("{title}-what")));
                let mut answer = shown_as(status, &FailurePage { page: &page, title, what, said: &said });
                answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                answer
            }
        }
    }
}
