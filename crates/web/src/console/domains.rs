//! Sending domains: the list, the records to publish, what is switched, what is asked twice.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::sending_domain::KeyAlgorithm;
use relay::service::operation::{Operation, Part};
use relay::service::view::{DomainView, DoneView, KeyView, SmtpUserView};
use relay::service::{Fault, FaultKind, SYSTEM_ACCOUNT, domain_name};
use serde::Deserialize;

use super::form::Signed;
use super::listing::{Pager, part};
use super::page::{Failure, Page, shown, shown_as};
use super::question::{Choice, Confirm, Pressed, Typed};
use super::refusal::Refusal;
use super::users::{UserRow, user_rows};
use super::visit::{Visit, on_to};
use super::words::Words;
use super::{For, Route, show, take};
use records::Record;

mod records;

const MANAGERS: For = For::Account(Need::Power(Power::Domains));

/// Seconds between two looks of the script at a domain that is not as it should be.
const LOOK_SECONDS: u32 = 10;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/domains", MANAGERS, list_page),
        take("/domains", MANAGERS, add),
        show("/domains/{domain}", MANAGERS, domain_page),
        take("/domains/{domain}/verify", MANAGERS, verify),
        take("/domains/{domain}/bounce-mails", MANAGERS, bounce_mails),
        show("/domains/{domain}/rotate", MANAGERS, rotate_page),
        take("/domains/{domain}/rotate", MANAGERS, rotate),
        show("/domains/{domain}/delete", MANAGERS, delete_page),
        take("/domains/{domain}/delete", MANAGERS, delete),
        show("/operator/domains/{domain}", For::Operator, operator_page),
        take("/operator/domains/{domain}/verify", For::Operator, verify),
        take("/operator/domains/{domain}/vouch", For::Operator, vouch),
        show("/operator/domains/{domain}/rotate", For::Operator, rotate_page),
        take("/operator/domains/{domain}/rotate", For::Operator, rotate),
        show("/operator/domains/{domain}/delete", For::Operator, delete_page),
        take("/operator/domains/{domain}/delete", For::Operator, delete),
    ]
}

/// The state of a domain as its badge shows it.
pub(super) struct State {
    pub(super) slug: String,
    pub(super) icon: &'static str,
    pub(super) word: String,
}

impl State {
    pub(super) fn of(words: &Words, domain: &DomainView) -> State {
        let icon = match domain.state.as_str() {
            "validated" => "delivered",
            "warning" => "alert",
            "failed" => "hard",
            "vouched" => "shield",
            _ => "pending",
        };
        State { slug: domain.state.clone(), icon, word: words.t(&format!("domain-state-{}", domain.state)) }
    }
}

/// The page of a domain: the operator's, or that of its account.
pub(super) fn page_of(visit: &Visit, domain: &DomainView) -> String {
    if visit.may(Need::Operator) {
        // several accounts may have a domain of one name
        format!("/operator/domains/{}", domain.id)
    } else {
        format!("/domains/{}", domain.name)
    }
}

/// Where there are further ones of the kind.
fn list_of(visit: &Visit, domain: &DomainView) -> String {
    if !visit.may(Need::Operator) {
        "/domains".to_owned()
    } else if domain.account == SYSTEM_ACCOUNT.number() {
        super::own_mail::HERE.to_owned()
    } else {
        format!("/operator/accounts/{}", domain.account)
    }
}

/// One domain in the list.
struct Row {
    name: String,
    state: State,
    more: String,
    users: String,
    checked: Option<String>,
}

impl Row {
    fn new(words: &Words, domain: &DomainView, users: usize) -> Row {
        let fails_at = domain.fails_at.as_ref().filter(|_| domain.state == "warning");
        let found = domain.keys.iter().filter(|key| is_found(key)).count();
        let more = match fails_at {
            Some(at) => words.with("domain-sends-until", "moment", words.minute(at)),
            None => {
                let all = words.number(domain.keys.len() as u64);
                words.count_with("domain-records-found", found as u64, "all", &all)
            }
        };
        Row {
            name: domain.name.clone(),
            state: State::of(words, domain),
            more,
            users: words.number(users as u64),
            checked: domain.checked_at.as_ref().map(|at| words.minute(at)),
        }
    }
}

fn is_found(key: &KeyView) -> bool {
    key.finding.as_deref() == Some("right")
}

#[derive(Template)]
#[template(path = "domains.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    pager: Option<Pager>,
    name: String,
    refused: Option<Refusal>,
}

async fn domains_of(visit: &Visit) -> Result<Vec<DomainView>, Failure> {
    visit.ask(Operation::DomainList { account: Some(visit.account_number()?), part: Part::WHOLE }).await
}

async fn list(visit: &Visit, name: String, refused: Option<Refusal>) -> Result<Response, Failure> {
    let domains = domains_of(visit).await?;
    let users: Vec<SmtpUserView> = visit
        .ask(Operation::SmtpUserList { account: Some(visit.account_number()?), domain: None, part: Part::WHOLE })
        .await?;
    let (domains, pager) = part(visit, domains);
    let users_of = |domain: &DomainView| users.iter().filter(|user| user.domain == domain.name).count();
    let rows = domains.iter().map(|domain| Row::new(visit.words(), domain, users_of(domain))).collect();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(shown_as(status, &ListPage { page: visit.page(), rows, pager, name, refused }))
}

async fn list_page(visit: Visit) -> Result<Response, Failure> {
    list(&visit, String::new(), None).await
}

#[derive(Deserialize)]
struct NameForm {
    name: String,
}

async fn add(Signed { visit, form }: Signed<NameForm>) -> Result<Response, Failure> {
    let name = form.name;
    let account = visit.account_number()?;
    match visit.try_to::<DomainView>(Operation::DomainAdd { account, name: name.clone() }).await? {
        Ok(domain) => Ok(on_to(&format!("/domains/{}", domain.name))),
        Err(fault) => {
            let refused = refusal(&visit, &name, &fault).await?;
            list(&visit, name, Some(refused)).await
        }
    }
}

/// Why a domain was not added, in the visitor's language where it can be told.
async fn refusal(visit: &Visit, name: &str, fault: &Fault) -> Result<Refusal, Failure> {
    let words = visit.words();
    let Ok(normal) = domain_name(name) else { return Ok(Refusal::Ours(words.t("domain-none"))) };
    let is_there = domains_of(visit).await?.iter().any(|domain| domain.name == normal);
    let is_double = fault.kind == FaultKind::Conflict && is_there;
    Ok(if is_double { Refusal::Ours(words.with("domain-double", "domain", normal)) } else { Refusal::of(words, fault) })
}

/// How a domain stands, as its account and the operator see it.
struct Standing {
    /// Where it is.
    base: String,
    state: State,
    lede: String,
    /// What the visitor is to do: the kind of the note, its icon, its words.
    advice: Option<(&'static str, &'static str, String)>,
    records: Vec<Record>,
    checked: String,
    /// The script looks again while something may change by itself.
    poll_seconds: Option<u32>,
    /// What there is in place of a zone: what is to be published, in a sentence.
    about: String,
}

impl Standing {
    fn of(visit: &Visit, domain: &DomainView) -> Standing {
        let words = visit.words();
        Standing {
            base: page_of(visit, domain),
            state: State::of(words, domain),
            lede: lede(words, domain),
            advice: advice(words, domain),
            records: records::of(words, domain),
            checked: checked(words, domain),
            poll_seconds: poll_seconds(domain),
            about: records::about(words, domain),
        }
    }
}

#[derive(Template)]
#[template(path = "domain.html")]
struct DomainPage {
    page: Page,
    name: String,
    standing: Standing,
    /// Where the keys stand that follow one another, in sentences.
    rotations: Vec<String>,
    bounce_mails: bool,
    users: Vec<UserRow>,
    pager: Option<Pager>,
}

/// What the state of a domain means for its mail.
fn lede(words: &Words, domain: &DomainView) -> String {
    match (domain.state.as_str(), &domain.fails_at) {
        ("warning", Some(at)) => words.with("domain-means-warning", "moment", words.minute(at)),
        ("warning", None) => words.t("domain-state-warning"),
        (state, _) => words.t(&format!("domain-means-{state}")),
    }
}

/// What is to be done about a domain, if anything.
fn advice(words: &Words, domain: &DomainView) -> Option<(&'static str, &'static str, String)> {
    let may_send = matches!(domain.state.as_str(), "validated" | "vouched");
    let required = || domain.keys.iter().filter(|key| key.required);
    let denied = required().filter(|key| matches!(key.finding.as_deref(), Some("absent" | "wrong"))).count();
    let is_untouched = required().all(|key| matches!(key.finding.as_deref(), None | Some("absent")));
    if domain.checked_at.is_none() || domain.state == "pending" && is_untouched {
        return Some(("info", "info", words.t("domain-advice-first"))).filter(|_| !may_send);
    }
    if denied > 0 {
        let kind = if may_send { "warn" } else { "bad" };
        return Some((kind, "alert", words.count("domain-advice-missing", denied as u64)));
    }
    if !may_send && required().all(is_found) {
        return Some(("warn", "alert", words.t("domain-advice-elsewhere")));
    }
    if !may_send {
        return Some(("info", "info", words.t("domain-advice-unknown")));
    }
    let mut rotations = records::rotations(words, domain).into_iter();
    rotations.find(|(is_late, _)| *is_late).map(|(_, late)| ("warn", "alert", late))
}

/// When DNS was last asked.
fn checked(words: &Words, domain: &DomainView) -> String {
    domain
        .checked_at
        .as_ref()
        .map_or_else(|| words.t("domain-checked-never"), |at| words.with("domain-checked", "moment", words.minute(at)))
}

/// How often the script looks again, while something may change by itself.
fn poll_seconds(domain: &DomainView) -> Option<u32> {
    let is_settled = matches!(domain.state.as_str(), "validated" | "vouched");
    (!is_settled).then_some(LOOK_SECONDS)
}

async fn domain_page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
    let listed = Operation::SmtpUserList {
        account: Some(domain.account),
        domain: Some(domain.id.to_string()),
        part: Part::WHOLE,
    };
    let (users, pager) = part(&visit, visit.ask::<Vec<SmtpUserView>>(listed).await?);
    let (page, words) = (visit.page(), visit.words());
    Ok(shown(&DomainPage {
        rotations: records::rotations(words, &domain).into_iter().map(|(_, told)| told).collect(),
        bounce_mails: domain.bounce_mails,
        users: user_rows(&visit, &users),
        pager,
        standing: Standing::of(&visit, &domain),
        name: domain.name,
        page,
    }))
}

#[derive(Template)]
#[template(path = "operator-domain.html")]
struct OperatorPage {
    page: Page,
    name: String,
    standing: Standing,
    back: String,
    back_name: String,
    is_vouched: bool,
    refused: Option<Refusal>,
}

fn operator_shown(visit: &Visit, domain: DomainView, refused: Option<Refusal>) -> Response {
    let page = visit.page();
    let is_own = domain.account == SYSTEM_ACCOUNT.number();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = OperatorPage {
        standing: Standing::of(visit, &domain),
        back: list_of(visit, &domain),
        back_name: page.t(if is_own { "menu-own-mail" } else { "account-one" }),
        is_vouched: domain.state == "vouched",
        refused,
        name: domain.name,
        page,
    };
    shown_as(status, &shown)
}

/// A domain as the operator looks after it, its account's or the relay's own.
async fn operator_page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
    Ok(operator_shown(&visit, domain, None))
}

#[derive(Deserialize)]
struct VouchForm {
    vouched: bool,
}

async fn vouch(Path(domain): Path<String>, Signed { visit, form }: Signed<VouchForm>) -> Result<Response, Failure> {
    let order = Operation::DomainVouch { domain: domain.clone(), vouched: form.vouched };
    match visit.try_to::<DomainView>(order).await? {
        Ok(domain) => Ok(on_to(&page_of(&visit, &domain))),
        Err(fault) => {
            let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
            let refused = Refusal::of(visit.words(), &fault);
            Ok(operator_shown(&visit, domain, Some(refused)))
        }
    }
}

async fn verify(Path(domain): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainVerify { domain }).await?;
    Ok(on_to(&page_of(&visit, &domain)))
}

#[derive(Deserialize)]
struct SwitchForm {
    on: bool,
}

async fn bounce_mails(
    Path(domain): Path<String>,
    Signed { visit, form }: Signed<SwitchForm>,
) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainBounceMails { domain, on: form.on }).await?;
    Ok(on_to(&format!("/domains/{}", domain.name)))
}

/// The names of the records of these spare keys that are not in DNS, as far as the last look told.
fn missing(domain: &DomainView, algorithm: Option<KeyAlgorithm>) -> Vec<&str> {
    let wanted = algorithm.map(|algorithm| relay::service::view::word(&algorithm));
    let spares = domain.keys.iter().filter(|key| !key.active && wanted.as_ref().is_none_or(|a| *a == key.algorithm));
    spares.filter(|key| !is_found(key)).map(|key| key.name.as_str()).collect()
}

fn rotation(visit: &Visit, domain: &DomainView, refused: Option<Refusal>) -> Response {
    let words = visit.words();
    let missing_of = |algorithm| missing(domain, algorithm);
    let ways = [
        ("both", "domain-rotate-both", None),
        ("rsa2048", "domain-rotate-rsa", Some(KeyAlgorithm::Rsa2048)),
        ("ed25519", "domain-rotate-ed25519", Some(KeyAlgorithm::Ed25519)),
    ];
    let possible = ways.iter().find(|(.., algorithm)| missing_of(*algorithm).is_empty()).map(|(value, ..)| *value);
    let choices = ways.iter().map(|(value, label, _)| Choice {
        value,
        label: words.t(label),
        is_chosen: *value == possible.unwrap_or("both"),
    });
    let mut lines = vec![words.t("domain-rotate-what"), words.t("domain-rotate-sealed")];
    let missing = missing_of(None);
    if !missing.is_empty() {
        lines.push(words.with("domain-rotate-missing", "records", missing.join(", ")));
    }
    let confirm = Confirm {
        page: visit.page(),
        title: words.with("domain-rotate-title", "domain", domain.name.as_str()),
        lines,
        action: format!("{}/rotate", page_of(visit, domain)),
        back: page_of(visit, domain),
        button: words.t("domain-rotate-do"),
        typed: None,
        sure: None,
        which: words.t("question-which"),
        choices: choices.collect(),
        is_final: false,
        refused,
    };
    confirm.asked()
}

async fn rotate_page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let domain = visit.ask(Operation::DomainShow { domain }).await?;
    Ok(rotation(&visit, &domain, None))
}

#[derive(Deserialize)]
struct RotateForm {
    choice: String,
}

async fn rotate(Path(domain): Path<String>, Signed { visit, form }: Signed<RotateForm>) -> Result<Response, Failure> {
    let algorithm = match form.choice.as_str() {
        "rsa2048" => Some(KeyAlgorithm::Rsa2048),
        "ed25519" => Some(KeyAlgorithm::Ed25519),
        _ => None,
    };
    let asked = Operation::DomainRotate { domain: domain.clone(), algorithm, force: false };
    match visit.try_to::<DomainView>(asked).await? {
        Ok(domain) => Ok(on_to(&page_of(&visit, &domain))),
        Err(fault) => {
            let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
            let missing = missing(&domain, algorithm).join(", ");
            let words = visit.words();
            let refused = if missing.is_empty() {
                Refusal::of(visit.words(), &fault)
            } else {
                Refusal::Ours(words.with("domain-rotate-refused", "records", missing.as_str()))
            };
            Ok(rotation(&visit, &domain, Some(refused)))
        }
    }
}

/// Asks with the name, which is to be typed; what becomes of the mail is chosen.
async fn deletion(
    visit: &Visit,
    domain: &DomainView,
    cancels: bool,
    refused: Option<Refusal>,
) -> Result<Response, Failure> {
    let words = visit.words();
    let choice = |value, name: &str, is_chosen| Choice { value, label: words.t(name), is_chosen };
    let choices =
        vec![choice("deliver", "domain-delete-deliver", !cancels), choice("cancel", "domain-delete-cancel", cancels)];
    let listed = Operation::SmtpUserList {
        account: Some(domain.account),
        domain: Some(domain.id.to_string()),
        part: Part::WHOLE,
    };
    let users = visit.ask::<Vec<SmtpUserView>>(listed).await?.len() as u64;
    let label = words.with("domain-delete-type", "domain", domain.name.as_str());
    let confirm = Confirm {
        page: visit.page(),
        title: words.with("domain-delete-title", "domain", domain.name.as_str()),
        lines: vec![
            words.count("domain-delete-users", users),
            words.t("domain-delete-final"),
            words.t("domain-delete-stays"),
        ],
        action: format!("{}/delete", page_of(visit, domain)),
        back: page_of(visit, domain),
        button: words.t("domain-delete-do"),
        typed: Some(Typed::domain(label, &domain.name)),
        sure: None,
        which: words.t("domain-delete-which"),
        choices,
        is_final: true,
        refused,
    };
    Ok(confirm.asked())
}

async fn delete_page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let domain = visit.ask(Operation::DomainShow { domain }).await?;
    deletion(&visit, &domain, false, None).await
}

#[derive(Deserialize)]
struct DeleteForm {
    #[serde(default)]
    typed: String,
    #[serde(default)]
    choice: String,
}

async fn delete(Path(domain): Path<String>, Signed { visit, form }: Signed<DeleteForm>) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
    let cancel_mail = form.choice == "cancel";
    if !form.typed.trim().eq_ignore_ascii_case(&domain.name) {
        let refused = visit.words().with("domain-delete-typed-else", "domain", domain.name.as_str());
        return deletion(&visit, &domain, cancel_mail, Some(Refusal::Ours(refused))).await;
    }
    visit.ask::<DoneView>(Operation::DomainDelete { domain: domain.id.to_string(), cancel_mail }).await?;
    Ok(on_to(&list_of(&visit, &domain)))
}
