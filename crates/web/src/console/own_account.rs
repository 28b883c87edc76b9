//! What an account is called, where its clock is, and the language of what is written to it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::account::Contact;
use relay::language::Language;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{AccountView, ContactView, ContactsView};
use relay::service::{FaultKind, Setting, display_name, mailbox};
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown_as};
use super::refusal::Refusal;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const MANAGERS: For = For::Account(Need::Power(Power::Domains));

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/account", MANAGERS, page),
        take("/account", MANAGERS, change),
        take("/account/contacts", MANAGERS, contacts),
    ]
}

/// One time zone.
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// Every zone that people choose; one in force that is none of them stays.
pub(super) fn zones(chosen: &str) -> Vec<Zone> {
    let all = jiff::tz::db().available().map(|zone| zone.as_str().to_owned());
    // the others are there for old programs
    let mut names: Vec<_> = all.filter(|name| name.contains('/') && !name.starts_with("Etc/")).collect();
    names.push("UTC".to_owned());
    names.push(chosen.to_owned());
    names.sort();
    names.dedup();
    names.into_iter().map(|name| Zone { is_chosen: name == chosen, name }).collect()
}

#[derive(Template)]
#[template(path = "own-account.html")]
struct AccountPage {
    page: Page,
    name: String,
    zones: Vec<Zone>,
    language: String,
    days: String,
    days_max: String,
    number: String,
    made: String,
    refused: Option<Refusal>,
    contacts: ContactsForm,
    contacts_refused: Option<Refusal>,
}

/// Contacts as typed; two empty fields: none.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ContactsForm {
    primary_name: String,
    primary_email: String,
    billing_name: String,
    billing_email: String,
}

impl From<ContactsView> for ContactsForm {
    fn from(kept: ContactsView) -> ContactsForm {
        let fields = |contact: Option<ContactView>| contact.map_or_else(Default::default, |one| (one.name, one.email));
        let ((primary_name, primary_email), (billing_name, billing_email)) =
            (fields(kept.primary), fields(kept.billing));
        ContactsForm { primary_name, primary_email, billing_name, billing_email }
    }
}

fn account(
    visit: &Visit,
    account: &AccountView,
    refused: Option<Refusal>,
    (contacts, contacts_refused): (ContactsForm, Option<Refusal>),
) -> Response {
    let words = visit.words();
    let status =
        if refused.is_some() || contacts_refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = AccountPage {
        page: visit.page(),
        name: account.name.clone(),
        zones: zones(&account.time_zone),
        language: account.language.clone(),
        days: account.activity_days.map(|days| days.to_string()).unwrap_or_default(),
        days_max: visit.console.settings.limits.activity_days.to_string(),
        number: account.id.to_string(),
        made: words.minute(&account.created_at),
        refused,
        contacts,
        contacts_refused,
    };
    shown_as(status, &shown)
}

async fn of(visit: &Visit) -> Result<AccountView, Failure> {
    visit.ask(Operation::AccountShow { account: visit.account_number()? }).await
}

async fn kept(visit: &Visit) -> Result<ContactsForm, Failure> {
    let asked = Operation::AccountContacts { account: visit.account_number()? };
    visit.ask::<ContactsView>(asked).await.map(ContactsForm::from)
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    Ok(account(&visit, &of(&visit).await?, None, (kept(&visit).await?, None)))
}

#[derive(Deserialize)]
struct Form {
    name: String,
    time_zone: String,
    language: Language,
    /// Empty: as long as the relay keeps any.
    #[serde(default)]
    activity_days: String,
}

async fn change(Signed { visit, form }: Signed<Form>) -> Result<Response, Failure> {
    let Form { name, time_zone, language, activity_days } = form;
    let days = match activity_days.trim() {
        "" => Some(Setting::Default),
        given => given.parse().ok().map(Setting::To),
    };
    let max = visit.console.settings.limits.activity_days;
    let is_wrong = days.as_ref().is_none_or(|days| matches!(days, Setting::To(days) if !(1..=max).contains(days)));
    let asked = Operation::AccountSet {
        account: visit.account_number()?,
        name: Some(name.clone()),
        time_zone: Some(time_zone.clone()),
        language: Some(language),
        // one that is none is refused by the relay
        activity_days: days.unwrap_or(Setting::To(0)),
    };
    match visit.try_to::<AccountView>(asked).await? {
        Ok(_) => Ok(on_to("/account")),
        Err(fault) => {
            let refused = match fault.kind {
                _ if is_wrong => {
                    Refusal::Ours(visit.words().with("own-account-no-days", "max", max.to_string().as_str()))
                }
                _ if display_name(&name).is_err() => Refusal::Ours(visit.words().t("own-account-no-name")),
                FaultKind::Conflict => Refusal::Ours(visit.words().t("own-account-double")),
                _ => Refusal::of(visit.words(), &fault),
            };
            let typed = AccountView { name, time_zone, language: language.tag().to_owned(), ..of(&visit).await? };
            Ok(account(&visit, &typed, Some(refused), (kept(&visit).await?, None)))
        }
    }
}

/// A contact as typed; none where it is half of one, or what is typed is no name and no address.
fn contact(name: &str, email: &str) -> Option<Setting<Contact>> {
    if name.trim().is_empty() && email.trim().is_empty() {
        return Some(Setting::Default);
    }
    let (name, email) = (display_name(name).ok()?, mailbox(email).ok()?);
    Some(Setting::To(Contact { name, email }))
}

async fn contacts(Signed { visit, form }: Signed<ContactsForm>) -> Result<Response, Failure> {
    let (primary, billing) =
        (contact(&form.primary_name, &form.primary_email), contact(&form.billing_name, &form.billing_email));
    let (Some(primary), Some(billing)) = (primary, billing) else {
        let refused = Refusal::Ours(visit.words().t("contacts-wrong"));
        return Ok(account(&visit, &of(&visit).await?, None, (form, Some(refused))));
    };
    let asked = Operation::AccountContactsSet { account: visit.account_number()?, primary, billing };
    visit.ask::<ContactsView>(asked).await?;
    Ok(on_to("/account"))
}

#[cfg(test)]
mod tests {
    use super::zones;

    #[test]
    fn the_zone_in_force_is_always_offered() {
        for zone in ["America/Toronto", "UTC", "Etc/GMT+5"] {
            let offered = zones(zone);
            assert_eq!(offered.iter().filter(|offer| offer.is_chosen && offer.name == zone).count(), 1);
            assert!(offered.len() > 300);
        }
    }
}
