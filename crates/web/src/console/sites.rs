//! The sites that mail goes to, as the operator sees them: what is in force at each and why, and the order to try one now.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{BlockedSourceView, DoneView, SiteView};
use serde::Deserialize;

use super::form::Signed;
use super::listing::last_of_more;
use super::page::{Failure, Page, shown};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const ROWS: u32 = 50;
const LIST: &str = "/operator/sites";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(LIST, For::Operator, list), take("/operator/sites/resume", For::Operator, resume)]
}

struct Row {
    site: SiteView,
    badge: (&'static str, &'static str),
    state: String,
    domains: String,
    waiting: String,
    connections: String,
    pace: String,
    /// What one connection may carry.
    connection: String,
    until: String,
    /// What led to it, in the reader's language.
    why: String,
    at: String,
    /// The sources that it blocks.
    blocked: String,
    is_troubled: bool,
}

fn row(page: &Page, site: SiteView) -> Row {
    let words = &page.words;
    let badge = match site.state.as_str() {
        "open" => ("pass", "check"),
        "suspended" => ("suspended", "cross"),
        "slowed" | "probing" => ("pending", "pending"),
        _ => ("warning", "alert"),
    };
    let more = site.domain_count.saturating_sub(site.domains.len() as u64);
    let mut domains = site.domains.join(", ");
    if more > 0 {
        domains = words.count_with("sites-more", more, "domains", &domains);
    }
    let first = site.domains.first().cloned().unwrap_or_default();
    let moment = |at: &Option<String>| at.as_deref().map(|at| words.minute(at)).unwrap_or_default();
    let blocked = |blocked: &BlockedSourceView| {
        words.filled("sites-blocked-until", &[("source", &blocked.source), ("moment", &words.minute(&blocked.until))])
    };
    Row {
        badge,
        state: page.t(&format!("site-{}", site.state)),
        domains,
        waiting: words.number(site.waiting),
        connections: format!("{} / {}", words.number(site.connections), words.number(site.connections_allowed)),
        pace: site.messages_per_minute.map(|pace| words.number(pace.into())).unwrap_or_default(),
        connection: words.filled(
            "sites-connection",
            &[
                ("messages", &words.number(site.messages_per_connection)),
                ("recipients", &words.number(site.recipients_per_transaction)),
                ("seconds", &words.number(site.idle_seconds)),
            ],
        ),
        until: moment(&site.until),
        why: site.class.map(|class| class.words(words.language, &first)).unwrap_or_default(),
        at: moment(&site.said_at),
        blocked: site.blocked_sources.iter().map(blocked).collect::<Vec<_>>().join(", "),
        is_troubled: site.state != "open" || !site.blocked_sources.is_empty(),
        site,
    }
}

#[derive(Template)]
#[template(path = "sites.html")]
struct SitesPage {
    page: Page,
    troubled: bool,
    rows: Vec<Row>,
    newer: Option<String>,
    older: Option<String>,
}

/// The list behind a site.
fn path(troubled: bool, after: Option<&str>) -> String {
    let shown = if troubled { "troubled" } else { "all" };
    let pairs: Vec<(&str, &str)> =
        std::iter::once(("show", shown)).chain(after.map(|after| ("after", after))).collect();
    format!("{LIST}?{}", serde_html_form::to_string(pairs).unwrap_or_default())
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let troubled = visit.asked("show").as_deref() == Some("troubled");
    let after = visit.asked("after").filter(|text| !text.is_empty());
    let asked = Operation::SiteList { after: after.clone(), limit: ROWS + 1, troubled };
    let mut sites: Vec<SiteView> = visit.ask(asked).await?;
    let page = visit.page();
    let older = last_of_more(&mut sites, ROWS).map(|site| path(troubled, Some(&site.site)));
    let newer = after.map(|_| path(troubled, None));
    let rows = sites.into_iter().map(|site| row(&page, site)).collect();
    Ok(shown(&SitesPage { troubled, rows, newer, older, page }))
}

#[derive(Deserialize)]
pub(super) struct ResumeForm {
    site: String,
}

async fn resume(Signed { visit, form }: Signed<ResumeForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SiteResume { site: form.site }).await?;
    Ok(on_to("/operator/sites?show=troubled"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::language::Language;
    use relay::outcome::Class;
    use serde_json::{Value, json};

    const UNTIL: &str = "2026-11-29T10:20:00Z";
    const AT: &str = "2026-11-29T10:00:00Z";

    fn site(changes: Value) -> SiteView {
        let mut view = json!({
            "site": "mx.a.example", "domains": ["a.example"], "domain_count": 1, "waiting": 1200, "connections": 1,
            "connections_allowed": 10, "messages_per_minute": null, "messages_per_connection": 100,
            "recipients_per_transaction": 50, "idle_seconds": 30, "state": "open", "unreached": 0, "until": null,
            "class": null, "said": null, "said_at": null, "blocked_sources": [],
        });
        view.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(view).unwrap()
    }

    fn html(language: Language, sites: Vec<SiteView>) -> String {
        let page = Page::outside(language, "relay.example");
        let rows = sites.into_iter().map(|site| row(&page, site)).collect();
        SitesPage { troubled: false, rows, newer: None, older: None, page }.render().unwrap()
    }

    /// The cell with this label.
    fn cell<'h>(html: &'h str, label: &str) -> &'h str {
        let cell = html.split(&format!(" data-label=\"{label}\">")).nth(1).unwrap();
        cell.split("</td>").next().unwrap()
    }

    #[test]
    fn a_site_says_what_is_in_force_and_why() {
        let slowed = || {
            site(json!({
                "domains": ["a.example", "b.example"], "domain_count": 5, "connections_allowed": 2, "messages_per_minute": 60,
                "state": "slowed", "class": "rate", "said": "421 4.7.0 <i>Too fast</i>", "said_at": AT,
            }))
        };
        let english = html(Language::English, vec![slowed()]);
        assert_eq!(
            cell(&english, "Connections, of those allowed"),
            "1 / 2<small>at most 60 messages a minute</small><small>on each 100 messages at the most, 50 recipients in one \
             transaction, 30 s of waiting</small>"
        );
        assert!(english.contains("<small>a.example, b.example and 3 more</small>"), "{english}");
        assert!(cell(&english, "State").ends_with("Slowed</span>") && cell(&english, "Recipients waiting") == "1,200");
        let french = html(Language::French, vec![slowed()]);
        assert_eq!(
            cell(&french, "Connexions, sur celles permises"),
            "1 / 2<small>60 messages par minute au plus</small><small>sur chacune 100 messages au plus, 50 destinataires par \
             transaction, 30 s d’attente</small>"
        );
        assert!(french.contains("<small>a.example, b.example et 3 autres</small>"), "{french}");
        for (language, html, label) in [(Language::English, &english, "Why"), (Language::French, &french, "Pourquoi")] {
            let why = cell(html, label);
            // of which class it is, in the reader's language, the server's own words, and when
            let page = Page::outside(language, "");
            assert!(why.contains("421 4.7.0") && why.contains("Too fast") && !why.contains("<i>"), "{why}");
            assert!(why.ends_with(&format!("<small>{}</small>", page.words.minute(AT))), "{why}");
            assert_eq!(row(&page, slowed()).why, Class::Rate.words(language, "a.example"));
            assert!(why.split("<small").next().unwrap().len() > 20, "{why}");
        }
    }

    #[test]
    fn a_site_says_until_when_and_which_sources_it_blocks() {
        let blocked = json!([{"source": "out1", "until": UNTIL}, {"source": "out2", "until": AT}]);
        for (language, label, suspended, until, blocks) in [
            (Language::English, "State", "Suspended", "until", ("blocks", "until")),
            (Language::French, "État", "Suspendu", "jusqu’au", ("bloque", "jusqu’au")),
        ] {
            let page = Page::outside(language, "");
            let (later, at) = (page.words.minute(UNTIL), page.words.minute(AT));
            let shown = html(language, vec![site(json!({"state": "suspended", "until": UNTIL}))]);
            let state = cell(&shown, label);
            assert!(state.ends_with(&format!("{suspended}</span><small>{until} {later}</small>")), "{state}");
            let shown = html(language, vec![site(json!({"blocked_sources": blocked}))]);
            let (verb, until) = blocks;
            let wanted = format!("<small>{verb} out1 ({until} {later}), out2 ({until} {at})</small>");
            assert!(cell(&shown, label).ends_with(&wanted), "{wanted}\n{shown}");
        }
    }

    #[test]
    fn only_where_something_is_in_force_it_can_be_tried_now() {
        let can_be_tried =
            |changes| html(Language::English, vec![site(changes)]).contains("action=\"/operator/sites/resume\"");
        assert!(!can_be_tried(json!({})));
        for state in ["slowed", "paused", "suspended", "probing", "unreached"] {
            assert!(can_be_tried(json!({"state": state})), "{state}");
        }
        assert!(can_be_tried(json!({"blocked_sources": [{"source": "out1", "until": UNTIL}]})));
    }

    #[test]
    fn each_state_has_words_of_its_own() {
        for language in [Language::English, Language::French] {
            let page = Page::outside(language, "");
            let states = ["open", "slowed", "paused", "suspended", "probing", "unreached"];
            let words: std::collections::BTreeSet<String> =
                states.iter().map(|state| row(&page, site(json!({"state": state}))).state).collect();
            assert_eq!(words.len(), states.len(), "{words:?}");
            assert!(words.iter().all(|words| !words.starts_with("site-")), "{words:?}");
        }
    }
}
