//! Members: those of an account for its administrators, and the operator's own and everybody's for the operator.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use relay::language::Language;
use relay::power::{Need, Power, Role};
use relay::service::operation::Operation;
use relay::service::view::{AccountView, DoneView, MemberLinkView, MemberView, SignInView, word};
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown, shown_as, slug};
use super::question::{Pressed, Question, Sure, asked};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, sign_ins, take};

const OWN: For = For::Account(Need::Power(Power::Administration));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/members", OWN, list),
        take("/members", OWN, invite),
        show("/members/{member}", OWN, edit),
        take("/members/{member}/role", OWN, role),
        take("/members/{member}/link", OWN, link),
        show("/members/{member}/remove", OWN, remove_asked),
        take("/members/{member}/remove", OWN, remove),
        show("/operator/members", For::Operator, list),
        take("/operator/members", For::Operator, invite),
        show("/operator/members/{member}", For::Operator, edit),
        take("/operator/members/{member}/role", For::Operator, role),
        take("/operator/members/{member}/link", For::Operator, link),
        show("/operator/members/{member}/remove", For::Operator, remove_asked),
        take("/operator/members/{member}/remove", For::Operator, remove),
    ]
}

/// Where these pages are for this visitor.
fn base(visit: &Visit) -> &'static str {
    if visit.may(Need::Operator) { "/operator/members" } else { "/members" }
}

/// Where the list with this account's members is.
fn list_of(visit: &Visit, account: Option<u64>) -> String {
    match account.filter(|_| visit.may(Need::Operator)) {
        Some(account) => format!("{}?account={account}", base(visit)),
        None => base(visit).to_owned(),
    }
}

/// Of whom a list is: for the operator their own people, unless an account is named.
async fn members_of(visit: &Visit, account: Option<u64>) -> Result<Vec<MemberView>, Failure> {
    let mut members: Vec<MemberView> = visit.ask(Operation::MemberList { account }).await?;
    if visit.may(Need::Operator) {
        members.retain(|member| member.account == account);
    }
    Ok(members)
}

/// The member of a path, and whether the account has no other administrator.
async fn member_of(visit: &Visit, member: &str) -> Result<(MemberView, bool), Failure> {
    let number = visit.number(member)?;
    let all: Vec<MemberView> = visit.ask(Operation::MemberList { account: None }).await?;
    let found = all.iter().find(|member| member.id == number).cloned();
    let found = found.ok_or_else(|| visit.nothing())?;
    let is_last = is_last(&found, &all);
    Ok((found, is_last))
}

fn is_last(member: &MemberView, all: &[MemberView]) -> bool {
    let administers = |other: &&MemberView| other.role == "administrator" && other.account == member.account;
    // those who have not joined stand for nobody who has
    let stands = |other: &&MemberView| administers(other) && (other.joined || !member.joined);
    administers(&member) && all.iter().filter(stands).all(|other| other.id == member.id)
}

struct Row {
    member: MemberView,
    role: String,
    since: String,
    is_you: bool,
    is_last: bool,
}

/// A role that can be chosen.
struct Choice {
    word: String,
    name: String,
    about: String,
    is_chosen: bool,
}

fn choices(page: &Page, chosen: &str) -> Vec<Choice> {
    let choice = |role: &Role| {
        let word = word(role);
        let slug = slug(&word);
        let (name, about) = (page.t(&format!("role-{slug}")), page.t(&format!("role-what-{slug}")));
        Choice { is_chosen: word == chosen, word, name, about }
    };
    Role::ALL.iter().map(choice).collect()
}

/// What was typed into the form.
#[derive(Deserialize)]
pub(super) struct InviteForm {
    email: String,
    name: String,
    role: Role,
    language: Language,
    #[serde(default)]
    account: Option<u64>,
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    page: Page,
    base: &'static str,
    title: String,
    lede: String,
    /// The account that the operator looks at.
    account: Option<u64>,
    rows: Vec<Row>,
    choices: Vec<Choice>,
    has_roles: bool,
    email: String,
    name: String,
    language: &'static str,
    refused: Option<Refusal>,
}

async fn listed(visit: &Visit, account: Option<u64>, form: Option<(InviteForm, Refusal)>) -> Result<Response, Failure> {
    let (page, members) = (visit.page(), members_of(visit, account).await?);
    let whose = match account.filter(|_| visit.may(Need::Operator)) {
        Some(account) => Some(visit.ask::<AccountView>(Operation::AccountShow { account }).await?.name),
        None => None,
    };
    let row = |member: &MemberView| Row {
        role: page.t(&format!("role-{}", slug(&member.role))),
        since: page.words.minute(&member.created_at),
        is_you: member.id == visit.visitor.member.id.number(),
        is_last: is_last(member, &members),
        member: member.clone(),
    };
    let rows = members.iter().map(row).collect();
    let is_own = visit.may(Need::Operator) && account.is_none();
    let (title, lede) = match &whose {
        Some(name) => (page.with("members-of-account", "account", name), page.t("members-lede")),
        _ if is_own => (page.t("menu-people"), page.t("people-lede")),
        _ => (page.t("menu-members"), page.t("members-lede")),
    };
    let status = if form.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let chosen = form.as_ref().map_or_else(|| "regular".to_owned(), |(form, _)| word(&form.role));
    let language = form.as_ref().map_or(page.words.language, |(form, _)| form.language).tag();
    let (email, name, refused) =
        form.map_or_else(Default::default, |(form, words)| (form.email, form.name, Some(words)));
    let shown = MembersPage {
        base: base(visit),
        title,
        lede,
        account: account.filter(|_| visit.may(Need::Operator)),
        rows,
        choices: choices(&page, &chosen),
        has_roles: !is_own,
        email,
        name,
        language,
        refused,
        page,
    };
    Ok(shown_as(status, &shown))
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let account = visit.number_asked("account")?.filter(|_| visit.may(Need::Operator));
    listed(&visit, account, None).await
}

#[derive(Template)]
#[template(path = "member-link.html")]
struct LinkPage {
    page: Page,
    back: String,
    title: String,
    name: String,
    email: String,
    url: String,
    end: String,
    mailed: bool,
}

fn link_shown(visit: &Visit, made: MemberLinkView, title: &str) -> Response {
    let page = visit.page();
    let back = list_of(visit, made.member.account);
    let (token, url) = (made.token.expose(), made.url.as_ref());
    let url = url.map_or_else(|| format!("/choose-password?token={token}"), |url| url.expose().to_owned());
    let (name, email, end) = (made.member.name, made.member.email, page.words.minute(&made.expires_at));
    shown(&LinkPage { title: page.with(title, "name", &name), back, name, email, url, end, mailed: made.mailed, page })
}

async fn invite(Signed { visit, form }: Signed<InviteForm>) -> Result<Response, Failure> {
    let account = form.account.filter(|_| visit.may(Need::Operator));
    let order = Operation::MemberAdd {
        account,
        email: form.email.clone(),
        name: form.name.clone(),
        role: form.role,
        language: form.language,
    };
    match visit.try_to::<MemberLinkView>(order).await? {
        Ok(made) => Ok(link_shown(&visit, made, "member-added")),
        Err(fault) => listed(&visit, account, Some((form, Refusal::of(visit.words(), &fault)))).await,
    }
}

#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage {
    page: Page,
    base: &'static str,
    back: String,
    member: MemberView,
    since: String,
    role: String,
    choices: Vec<Choice>,
    has_roles: bool,
    is_last: bool,
    sign_ins: Vec<sign_ins::Row>,
    refused: Option<Refusal>,
}

async fn edited(visit: &Visit, member: &str, refused: Option<Refusal>) -> Result<Response, Failure> {
    let (member, is_last) = member_of(visit, member).await?;
    let found: Vec<SignInView> = visit.ask(Operation::MemberSignIns { member: member.id }).await?;
    let page = visit.page();
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = MemberPage {
        base: base(visit),
        back: list_of(visit, member.account),
        since: page.words.minute(&member.created_at),
        role: page.t(&format!("role-{}", slug(&member.role))),
        choices: choices(&page, &member.role),
        has_roles: member.account.is_some(),
        member,
        is_last,
        sign_ins: sign_ins::rows(visit.words(), &found),
        refused,
        page,
    };
    Ok(shown_as(status, &shown))
}

async fn edit(visit: Visit, Path(member): Path<String>) -> Result<Response, Failure> {
    edited(&visit, &member, None).await
}

#[derive(Deserialize)]
pub(super) struct RoleForm {
    role: Role,
}

async fn role(Path(member): Path<String>, Signed { visit, form }: Signed<RoleForm>) -> Result<Response, Failure> {
    let order =
        Operation::MemberSet { member: visit.number(&member)?, role: Some(form.role), name: None, language: None };
    match visit.try_to::<MemberView>(order).await? {
        Ok(changed) => Ok(on_to(&list_of(&visit, changed.account))),
        Err(fault) => edited(&visit, &member, Some(Refusal::of(visit.words(), &fault))).await,
    }
}

async fn link(Path(member): Path<String>, Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    let made = visit.ask(Operation::MemberLink { member: visit.number(&member)? }).await?;
    Ok(link_shown(&visit, made, "member-linked"))
}

async fn remove_asked(visit: Visit, Path(member): Path<String>) -> Result<Response, Failure> {
    let (found, is_last) = member_of(&visit, &member).await?;
    if is_last {
        return edited(&visit, &member, Some(Refusal::Ours(visit.words().t("member-last")))).await;
    }
    let page = visit.page();
    let consequences = vec![page.t("member-remove-then"), page.t("member-remove-kept"), page.t("cannot-be-undone")];
    let question = Question {
        title: page.with("member-remove-title", "name", &found.name),
        consequences,
        sure: page.with("member-remove-sure", "email", &found.email),
        action: format!("{}/{member}/remove", base(&visit)),
        act: page.t("member-remove"),
        back: list_of(&visit, found.account),
    };
    Ok(asked(page, question))
}

async fn remove(Path(member): Path<String>, Signed { visit, .. }: Signed<Sure>) -> Result<Response, Failure> {
    let (found, _) = member_of(&visit, &member).await?;
    match visit.try_to::<DoneView>(Operation::MemberRemove { member: found.id }).await? {
        // whoever removes themselves is led to the entrance from there
        Ok(_) => Ok(on_to(&list_of(&visit, found.account))),
        Err(fault) => edited(&visit, &member, Some(Refusal::of(visit.words(), &fault))).await,
    }
}
