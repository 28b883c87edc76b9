//! SMTP users: made, shown with all but their password, changed, stopped.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::credential::PASSWORDS_MAX;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{CredentialView, DomainView, DoneView, SmtpUserView};
use relay::service::{Fault, FaultKind, display_name};
use serde::Deserialize;

use super::connect::Connection;
use super::form::Signed;
use super::page::{Failure, Page, shown, shown_as};
use super::question::{Confirm, Pressed};
use super::refusal::Refusal;
use super::rules::{RulesForm, Way, Wrong, last_day};
use super::snippets::{Filled, Snippet};
use super::visit::{Visit, on_to};
use super::words::Words;
use super::{For, Route, show, take};

const MANAGERS: For = For::Account(Need::Power(Power::Domains));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/domains/{domain}/users/new", MANAGERS, new_page),
        take("/domains/{domain}/users/new", MANAGERS, add),
        show("/users/{user}", MANAGERS, user_page),
        take("/users/{user}/name", MANAGERS, rename),
        take("/users/{user}/rules", MANAGERS, set_rules),
        show("/users/{user}/reset", MANAGERS, reset_page),
        take("/users/{user}/reset", MANAGERS, reset),
        take("/users/{user}/passwords/add", MANAGERS, add_password),
        show("/users/{user}/passwords/drop", MANAGERS, drop_page),
        take("/users/{user}/passwords/drop", MANAGERS, drop_password),
        take("/users/{user}/enable", MANAGERS, enable),
        take("/users/{user}/disable", MANAGERS, disable),
        show("/users/{user}/delete", MANAGERS, delete_page),
        take("/users/{user}/delete", MANAGERS, delete),
    ]
}

/// The state of an SMTP user as its badge shows it, with a word more.
pub(super) struct State {
    pub(super) slug: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: String,
    pub(super) more: String,
}

impl State {
    fn of(visit: &Visit, user: &SmtpUserView) -> State {
        let words = visit.words();
        let end = user.expires_at.as_deref().and_then(|at| relay::moment::parse(at).ok());
        let (slug, icon) = match () {
            () if !user.enabled => ("disabled", "rejected"),
            () if end.is_some_and(|end| end <= visit.console.door.now()) => ("expired", "clock"),
            () if user.sandbox => ("sandbox", "info"),
            () => ("active", "delivered"),
        };
        let more = match slug {
            "expired" | "active" | "sandbox" if end.is_some() => {
                let last = user.expires_at.as_deref().and_then(|at| last_day(words, at)).unwrap_or_default();
                words.with("smtp-user-until", "day", words.weekday(&last))
            }
            "sandbox" => words.t("smtp-user-delivers-nothing"),
            _ => String::new(),
        };
        State { slug, icon, word: words.t(&format!("smtp-user-state-{slug}")), more }
    }
}

/// One SMTP user in the list of its domain.
pub(super) struct UserRow {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) username: String,
    pub(super) enabled: bool,
    pub(super) state: State,
    pub(super) last: Option<(String, String)>,
    pub(super) today: String,
    pub(super) in_30_days: String,
}

/// The rows of SMTP users.
pub(super) fn user_rows(visit: &Visit, users: &[SmtpUserView]) -> Vec<UserRow> {
    let words = visit.words();
    let row = |user: &SmtpUserView| UserRow {
        id: user.id,
        name: user.name.clone(),
        username: user.username.clone(),
        enabled: user.enabled,
        state: State::of(visit, user),
        last: last_login(user, |at| words.minute(at)),
        today: words.number(user.sent_today),
        in_30_days: words.number(user.sent_30_days),
    };
    users.iter().map(row).collect()
}

/// When and from where somebody last logged in, the moment as it is to be shown.
fn last_login(user: &SmtpUserView, moment: impl Fn(&str) -> String) -> Option<(String, String)> {
    let from = user.last_login_from.clone().unwrap_or_default();
    user.last_login_at.as_deref().map(|at| (moment(at), from))
}

/// What was wrong, beside which field; one that is none of the form's is shown above it.
type Refused = Option<Wrong>;

/// Where the service refuses: the field where it can be told, in the visitor's language.
fn refusal(words: &Words, name: &str, fault: &Fault) -> Wrong {
    match fault.kind {
        _ if display_name(name).is_err() => Wrong { field: "name", why: Refusal::Ours(words.t("smtp-user-no-name")) },
        FaultKind::Conflict => Wrong { field: "name", why: Refusal::Ours(words.t("smtp-user-double")) },
        _ => Wrong { field: "", why: Refusal::of(words, fault) },
    }
}

fn status_of(refused: &Refused) -> StatusCode {
    if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
}

#[derive(Template)]
#[template(path = "user-new.html")]
struct NewPage {
    page: Page,
    domain: String,
    name: String,
    rules: RulesForm,
    retries: Vec<Way>,
    repeats: Vec<Way>,
    priorities: Vec<Way>,
    refused: Refused,
}

fn new_form(visit: &Visit, domain: String, form: NewForm, refused: Refused) -> Response {
    let (name, rules) = (form.name, form.rules);
    let (retries, repeats) = (rules.retries(visit.words()), rules.repeats(visit.words()));
    let priorities = rules.priorities(visit.words());
    let status = status_of(&refused);
    shown_as(status, &NewPage { page: visit.page(), domain, name, rules, retries, repeats, priorities, refused })
}

#[derive(Default, Deserialize)]
struct NewForm {
    name: String,
    #[serde(flatten)]
    rules: RulesForm,
}

async fn new_page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
    Ok(new_form(&visit, domain.name, NewForm::default(), None))
}

async fn add(Path(domain): Path<String>, Signed { visit, form }: Signed<NewForm>) -> Result<Response, Failure> {
    let domain: DomainView = visit.ask(Operation::DomainShow { domain }).await?;
    let words = visit.words();
    let rules = match form.rules.change(words, &RulesForm::default(), &domain.name, visit.console.door.now()) {
        Ok(rules) => rules,
        Err(wrong) => return Ok(new_form(&visit, domain.name, form, Some(wrong))),
    };
    let asked = Operation::SmtpUserAdd { domain: domain.id.to_string(), name: form.name.clone(), rules };
    match visit.try_to::<CredentialView>(asked).await? {
        Ok(issued) => credential(&visit, &issued).await,
        Err(fault) => {
            let wrong = refusal(words, &form.name, &fault);
            Ok(new_form(&visit, domain.name, form, Some(wrong)))
        }
    }
}

#[derive(Template)]
#[template(path = "credential.html")]
struct CredentialPage {
    page: Page,
    id: u64,
    name: String,
    domain: String,
    connection: Connection,
    username: String,
    password: String,
    snippets: Vec<Snippet>,
}

/// The five settings with the new password: shown now, and never again.
async fn credential(visit: &Visit, issued: &CredentialView) -> Result<Response, Failure> {
    let user: SmtpUserView = visit.ask(Operation::SmtpUserShow { user: issued.id.to_string() }).await?;
    let connection = Connection::new(&issued.server, &issued.ports);
    let password = issued.password.expose().to_owned();
    let filled = Filled::of_user(visit.words(), &connection, &user, Some(&password));
    let snippets = filled.trusting(visit.console.settings.demonstration.as_ref()).all();
    Ok(shown(&CredentialPage {
        page: visit.page(),
        id: issued.id,
        name: issued.name.clone(),
        domain: issued.domain.clone(),
        connection,
        username: issued.username.clone(),
        password,
        snippets,
    }))
}

#[derive(Template)]
#[template(path = "user.html")]
struct UserPage {
    page: Page,
    id: u64,
    title: String,
    name: String,
    username: String,
    domain: String,
    enabled: bool,
    state: State,
    made: String,
    connection: Connection,
    last: Option<(String, String)>,
    today: String,
    in_30_days: String,
    has_two: bool,
    passwords: String,
    /// When each of them was last used, the older first.
    used: Vec<String>,
    rules: RulesForm,
    retries: Vec<Way>,
    repeats: Vec<Way>,
    priorities: Vec<Way>,
    refused: Refused,
}

async fn find(visit: &Visit, user: &str) -> Result<SmtpUserView, Failure> {
    visit.ask(Operation::SmtpUserShow { user: user.to_owned() }).await
}

/// When each password was last used, in words.
fn password_uses(words: &Words, user: &SmtpUserView) -> Vec<String> {
    let is_one = user.passwords_used_at.len() < PASSWORDS_MAX;
    let told = |(place, at): (usize, &Option<String>)| {
        let which = match place {
            _ if is_one => "smtp-user-password-one",
            0 => "smtp-user-password-older",
            _ => "smtp-user-password-newer",
        };
        match at {
            Some(at) => words.filled(&format!("{which}-used"), &[("when", &words.moment(at))]),
            None => words.t(&format!("{which}-unused")),
        }
    };
    user.passwords_used_at.iter().enumerate().map(told).collect()
}

fn user_shown(
    visit: &Visit,
    user: SmtpUserView,
    name: Option<String>,
    rules: Option<RulesForm>,
    refused: Refused,
) -> Response {
    let words = visit.words();
    let rules = rules.unwrap_or_else(|| RulesForm::of(words, &user));
    let settings = &visit.console.settings;
    let status = status_of(&refused);
    let shown = UserPage {
        page: visit.page(),
        id: user.id,
        state: State::of(visit, &user),
        made: words.minute(&user.created_at),
        connection: Connection::new(&settings.hostname, &settings.ports),
        last: last_login(&user, |at| words.moment(at)),
        today: words.number(user.sent_today),
        in_30_days: words.number(user.sent_30_days),
        has_two: user.passwords >= PASSWORDS_MAX as u64,
        passwords: words.count("smtp-user-passwords", user.passwords),
        used: password_uses(words, &user),
        retries: rules.retries(words),
        priorities: rules.priorities(words),
        repeats: rules.repeats(words),
        rules,
        refused,
        name: name.unwrap_or_else(|| user.name.clone()),
        title: user.name,
        username: user.username,
        domain: user.domain,
        enabled: user.enabled,
    };
    shown_as(status, &shown)
}

async fn user_page(visit: Visit, Path(user): Path<String>) -> Result<Response, Failure> {
    let user = find(&visit, &user).await?;
    Ok(user_shown(&visit, user, None, None, None))
}

fn back_to(user: &SmtpUserView) -> Response {
    on_to(&format!("/users/{}", user.id))
}

#[derive(Deserialize)]
struct NameForm {
    name: String,
}

async fn rename(Path(user): Path<String>, Signed { visit, form }: Signed<NameForm>) -> Result<Response, Failure> {
    let asked = Operation::SmtpUserRename { user: user.clone(), name: form.name.clone() };
    match visit.try_to::<SmtpUserView>(asked).await? {
        Ok(user) => Ok(back_to(&user)),
        Err(fault) => {
            let wrong = refusal(visit.words(), &form.name, &fault);
            Ok(user_shown(&visit, find(&visit, &user).await?, Some(form.name), None, Some(wrong)))
        }
    }
}

async fn set_rules(Path(user): Path<String>, Signed { visit, form }: Signed<RulesForm>) -> Result<Response, Failure> {
    let found = find(&visit, &user).await?;
    let words = visit.words();
    let before = RulesForm::of(words, &found);
    let rules = match form.change(words, &before, &found.domain, visit.console.door.now()) {
        Ok(rules) => rules,
        Err(wrong) => return Ok(user_shown(&visit, found, None, Some(form), Some(wrong))),
    };
    match visit.try_to::<SmtpUserView>(Operation::SmtpUserSet { user, rules }).await? {
        Ok(user) => Ok(back_to(&user)),
        Err(fault) => {
            let wrong = Wrong { field: "rules", why: Refusal::of(visit.words(), &fault) };
            Ok(user_shown(&visit, found, None, Some(form), Some(wrong)))
        }
    }
}

/// A question that is ticked before it is answered.
struct Question {
    title: &'static str,
    lines: &'static [&'static str],
    sure: &'static str,
    button: &'static str,
    path: &'static str,
}

const RESET: Question = Question {
    title: "smtp-user-reset-title",
    lines: &["smtp-user-reset-what", "smtp-user-reset-instead"],
    sure: "smtp-user-reset-sure",
    button: "smtp-user-reset-do",
    path: "reset",
};

const DROP: Question = Question {
    title: "smtp-user-drop-title",
    lines: &["smtp-user-drop-what"],
    sure: "smtp-user-drop-sure",
    button: "smtp-user-drop-do",
    path: "passwords/drop",
};

const DELETE: Question = Question {
    title: "smtp-user-delete-title",
    lines: &["smtp-user-delete-what", "smtp-user-delete-stays"],
    sure: "smtp-user-delete-sure",
    button: "smtp-user-delete-do",
    path: "delete",
};

fn question(visit: &Visit, user: &SmtpUserView, question: &Question, refused: bool) -> Response {
    let words = visit.words();
    let confirm = Confirm {
        page: visit.page(),
        title: words.with(question.title, "name", user.name.as_str()),
        lines: question.lines.iter().map(|line| words.t(line)).collect(),
        action: format!("/users/{}/{}", user.id, question.path),
        back: format!("/users/{}", user.id),
        button: words.t(question.button),
        typed: None,
        sure: Some(words.t(question.sure)),
        which: String::new(),
        choices: Vec::new(),
        is_final: true,
        refused: refused.then(|| Refusal::Ours(words.t("question-tick"))),
    };
    confirm.asked()
}

#[derive(Deserialize)]
struct SureForm {
    sure: Option<String>,
}

async fn reset_page(visit: Visit, Path(user): Path<String>) -> Result<Response, Failure> {
    Ok(question(&visit, &find(&visit, &user).await?, &RESET, false))
}

async fn reset(Path(user): Path<String>, Signed { visit, form }: Signed<SureForm>) -> Result<Response, Failure> {
    if form.sure.is_none() {
        return Ok(question(&visit, &find(&visit, &user).await?, &RESET, true));
    }
    let issued: CredentialView = visit.ask(Operation::SmtpUserReset { user }).await?;
    credential(&visit, &issued).await
}

async fn add_password(Path(user): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let issued: CredentialView = visit.ask(Operation::SmtpUserAddPassword { user }).await?;
    credential(&visit, &issued).await
}

async fn drop_page(visit: Visit, Path(user): Path<String>) -> Result<Response, Failure> {
    Ok(question(&visit, &find(&visit, &user).await?, &DROP, false))
}

async fn drop_password(
    Path(user): Path<String>,
    Signed { visit, form }: Signed<SureForm>,
) -> Result<Response, Failure> {
    if form.sure.is_none() {
        return Ok(question(&visit, &find(&visit, &user).await?, &DROP, true));
    }
    Ok(back_to(&visit.ask(Operation::SmtpUserDropPassword { user }).await?))
}

async fn enable(Path(user): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    Ok(back_to(&visit.ask(Operation::SmtpUserEnable { user }).await?))
}

async fn disable(Path(user): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    Ok(back_to(&visit.ask(Operation::SmtpUserDisable { user }).await?))
}

async fn delete_page(visit: Visit, Path(user): Path<String>) -> Result<Response, Failure> {
    Ok(question(&visit, &find(&visit, &user).await?, &DELETE, false))
}

async fn delete(Path(user): Path<String>, Signed { visit, form }: Signed<SureForm>) -> Result<Response, Failure> {
    let found = find(&visit, &user).await?;
    if form.sure.is_none() {
        return Ok(question(&visit, &found, &DELETE, true));
    }
    visit.ask::<DoneView>(Operation::SmtpUserDelete { user }).await?;
    Ok(on_to(&format!("/domains/{}", found.domain)))
}
