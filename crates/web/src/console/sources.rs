//! The sources that mail is sent from, as the operator sees them: how each fares and warms up, and the orders about that.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{
    BlockingSiteView, DoneView, PoolMemberView, SendingSourceView, WarmUpProviderView, WarmUpView,
};
use relay::warm_up::OTHERS;
use serde::Deserialize;

use super::form::Signed;
use super::page::{Failure, Page, shown};
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

const LIST: &str = "/operator/sources";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show(LIST, For::Operator, list),
        take("/operator/sources/resume", For::Operator, resume),
        take("/operator/sources/warm-up/stop", For::Operator, stop_warm_up),
        take("/operator/sources/warm-up/start", For::Operator, start_warm_up),
    ]
}

struct Row {
    source: SendingSourceView,
    badge: (&'static str, &'static str),
    state: String,
    until: String,
    addresses: String,
    pools: Vec<String>,
    connections: String,
    messages: String,
    blocked: String,
    is_set_aside: bool,
    warm_up: Vec<String>,
    is_warming: bool,
}

/// A warm-up, line by line.
fn warm_up(page: &Page, view: &WarmUpView) -> Vec<String> {
    if view.state == "stopped" {
        return vec![page.t("sources-warm-up-stopped")];
    }
    if view.providers.is_empty() {
        return vec![page.t("sources-warm-up-none")];
    }
    view.providers.iter().flat_map(|provider| climb(page, provider)).collect()
}

/// How far it has come with one provider, and where that blocked it.
fn climb(page: &Page, view: &WarmUpProviderView) -> Vec<String> {
    let words = &page.words;
    let number = |number: u32| words.number(number.into());
    let provider = if view.provider == OTHERS { page.t("sources-warm-up-others") } else { view.provider.clone() };
    let message = match view.state.as_str() {
        "warm" => "sources-warm-up-warm",
        "used_up" => "sources-warm-up-full",
        _ => "sources-warm-up-climbing",
    };
    let (today, allowed) = (number(view.messages_today), number(view.messages_allowed.unwrap_or_default()));
    let (rung, rungs) = (number(view.rung), number(view.rungs));
    let values =
        [("provider", &provider), ("today", &today), ("allowed", &allowed), ("rung", &rung), ("rungs", &rungs)];
    let mut lines = vec![words.filled(message, &values.map(|(name, value)| (name, value.as_str())))];
    if view.blocked {
        lines.push(words.filled("sources-warm-up-blocked", &[("provider", &provider)]));
    }
    lines
}

/// A pool that a source is of, with its weight there, and below it whose mail goes from the pool.
fn pool_lines(page: &Page, pool: &PoolMemberView) -> Vec<String> {
    let words = &page.words;
    let weight = words.number(pool.weight.into());
    let numbered = |message: &'static str, numbers: &[u64]| {
        numbers.iter().map(|number| words.with(message, "number", number.to_string())).collect::<Vec<_>>()
    };
    let mut whose = pool.domains.clone();
    whose.extend(numbered("sources-pool-account", &pool.accounts));
    whose.extend(numbered("sources-pool-plan", &pool.plans));
    if pool.first {
        whose.push(words.t("sources-pool-first"));
    }
    let whose = Some(whose.join(", ")).filter(|whose| !whose.is_empty());
    let whose = whose.map(|whose| words.with("sources-pool-whose", "whose", whose));
    let named = words.filled("sources-pool", &[("pool", &pool.pool), ("weight", &weight)]);
    std::iter::once(named).chain(whose).collect()
}

fn row(page: &Page, source: SendingSourceView) -> Row {
    let words = &page.words;
    let (badge, state) = match source.state.as_str() {
        "good" => (("pass", "check"), "source-good"),
        "tried" => (("pending", "pending"), "source-tried"),
        _ => (("suspended", "cross"), "source-set-aside"),
    };
    let more = source.blocked_count.saturating_sub(source.blocked_by.len() as u64);
    let site = |site: &BlockingSiteView| {
        words.filled("sources-blocked-until", &[("site", &site.site), ("moment", &words.minute(&site.until))])
    };
    let mut blocked = source.blocked_by.iter().map(site).collect::<Vec<_>>().join(", ");
    if more > 0 {
        blocked = words.count_with("sources-more", more, "sites", &blocked);
    }
    Row {
        badge,
        state: page.t(state),
        until: source.until.as_deref().map(|until| words.minute(until)).unwrap_or_default(),
        addresses: source.addresses.join(", "),
        pools: source.pools.iter().flat_map(|pool| pool_lines(page, pool)).collect(),
        connections: words.number(source.connections),
        messages: words.number(source.messages),
        blocked,
        is_set_aside: source.state != "good",
        warm_up: source.warm_up.as_ref().map(|view| warm_up(page, view)).unwrap_or_default(),
        is_warming: source.warm_up.as_ref().is_some_and(|view| view.state != "stopped"),
        source,
    }
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    page: Page,
    /// Whether any of them has a warm-up.
    has_warm_up: bool,
    rows: Vec<Row>,
}

impl SourcesPage {
    fn of(page: Page, sources: Vec<SendingSourceView>) -> SourcesPage {
        let has_warm_up = sources.iter().any(|source| source.warm_up.is_some());
        let rows = sources.into_iter().map(|source| row(&page, source)).collect();
        SourcesPage { rows, has_warm_up, page }
    }
}

async fn list(visit: Visit) -> Result<Response, Failure> {
    let sources = visit.ask(Operation::SourceList).await?;
    Ok(shown(&SourcesPage::of(visit.page(), sources)))
}

#[derive(Deserialize)]
pub(super) struct SourceForm {
    source: String,
}

async fn resume(Signed { visit, form }: Signed<SourceForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceResume { source: form.source }).await?;
    Ok(on_to(LIST))
}

async fn stop_warm_up(Signed { visit, form }: Signed<SourceForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceWarmUpStop { source: form.source }).await?;
    Ok(on_to(LIST))
}

async fn start_warm_up(Signed { visit, form }: Signed<SourceForm>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::SourceWarmUpStart { source: form.source }).await?;
    Ok(on_to(LIST))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use relay::language::Language;
    use serde_json::{Value, json};

    const UNTIL: &str = "2026-11-29T10:20:00Z";

    fn source(changes: Value) -> SendingSourceView {
        let mut view = json!({
            "source": "out1", "addresses": ["192.0.2.25"], "hello": "out1.relay.example", "pools": [], "state": "good",
            "until": null, "reason": null, "connections": 2, "messages": 1250, "blocked_by": [], "blocked_count": 0,
            "warm_up": null,
        });
        view.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value(view).unwrap()
    }

    fn climbing(provider: &str, state: &str, rung: u32, today: u32, allowed: Option<u32>, blocked: bool) -> Value {
        json!({
            "provider": provider, "state": state, "rung": rung, "rungs": 12, "messages_today": today,
            "messages_allowed": allowed, "objections": 0, "blocked": blocked, "goes_on_at": null,
        })
    }

    fn warming(providers: &[Value]) -> Value {
        json!({"warm_up": {"state": "warming", "providers": providers}})
    }

    fn html(language: Language, sources: Vec<SendingSourceView>) -> String {
        SourcesPage::of(Page::outside(language, "relay.example"), sources).render().unwrap()
    }

    #[test]
    fn each_provider_has_its_place_on_the_ladder() {
        let source = || {
            let blocked = climbing("yahoo", "used_up", 3, 1_500, Some(1_500), true);
            let others = climbing("others", "warm", 13, 9, None, false);
            source(warming(&[climbing("google", "climbing", 1, 45, Some(50), false), blocked, others]))
        };
        let english = html(Language::English, vec![source()]);
        let french = html(Language::French, vec![source()]);
        for (html, lines) in [
            (
                &english,
                [
                    "google: 45 of 50 messages today, rung 1 of 12",
                    "yahoo: 1,500 of 1,500 messages today, rung 3 of 12; goes on at 00:00 UTC",
                    "yahoo blocked it today",
                    "smaller providers: warm",
                ],
            ),
            (
                &french,
                [
                    "google\u{a0}: 45 messages sur 50 aujourd’hui, palier 1 sur 12",
                    "yahoo\u{a0}: 1\u{a0}500 messages sur 1\u{a0}500 aujourd’hui, palier 3 sur 12\u{a0}; reprise à 0\u{a0}h UTC",
                    "yahoo l’a bloquée aujourd’hui",
                    "petits fournisseurs\u{a0}: terminée",
                ],
            ),
        ] {
            let all: String = lines.iter().map(|line| format!("<small>{line}</small>")).collect();
            assert!(html.contains(&all), "{all}\n{html}");
            assert!(html.contains("/warm-up/stop\"") && html.contains("/warm-up/start\""), "{html}");
        }
    }

    #[test]
    fn a_warm_up_that_is_stopped_or_has_begun_with_nobody_says_so() {
        for (language, title, none, stopped) in [
            (Language::English, "Warm-up", "No mail yet", "Stopped"),
            (Language::French, "Montée en charge", "Aucun message pour l’instant", "Arrêtée"),
        ] {
            let html_of = |changes| html(language, vec![source(changes)]);
            let begun = html_of(warming(&[]));
            assert!(begun.contains(&format!("<small>{none}</small>")) && begun.contains("/warm-up/stop\""), "{begun}");
            let over = html_of(json!({"warm_up": {"state": "stopped", "providers": []}}));
            assert!(over.contains(&format!("<small>{stopped}</small>")), "{over}");
            assert!(!over.contains("/warm-up/stop\"") && over.contains("/warm-up/start\""), "{over}");
            let column = format!("<th scope=\"col\">{title}</th>");
            assert!(begun.contains(&column) && over.contains(&column));
            let without = html_of(json!({}));
            assert!(!without.contains(&column) && !without.contains("/warm-up/"), "{without}");
        }
    }

    #[test]
    fn one_that_is_set_aside_says_until_when_and_why() {
        let reason = "this machine does not have <i>its</i> address";
        let set_aside = || source(json!({"state": "set_aside", "until": UNTIL, "reason": reason}));
        let tried = || source(json!({"source": "out2", "state": "tried"}));
        for (language, words) in [
            (Language::English, ["In use", "Set aside", "Being tried", "until"]),
            (Language::French, ["Utilisée", "Mise de côté", "À l’essai", "jusqu’au"]),
        ] {
            let html = html(language, vec![source(json!({"source": "out3"})), set_aside(), tried()]);
            let until = format!("<small>{} {}</small>", words[3], Page::outside(language, "").words.minute(UNTIL));
            assert!(html.contains(&until), "{until}\n{html}");
            for (word, badge) in words.iter().zip(["s-pass", "s-suspended", "s-pending"]) {
                let shown = html.split(&format!("<span class=\"badge {badge}\">")).nth(1).unwrap();
                assert!(shown.split("</span>").next().unwrap().ends_with(word), "{word}\n{html}");
            }
            assert!(html.contains("this machine does not have") && !html.contains("<i>"), "{html}");
            // those that are not in use can be tried now
            assert_eq!(html.matches("action=\"/operator/sources/resume\"").count(), 2, "{html}");
            assert!(!html.contains("value=\"out3\""), "{html}");
        }
    }

    #[test]
    fn the_pools_say_whose_mail_goes_from_them_and_the_sites_who_blocks() {
        let pool = |name: &str, weight: u32, first: bool, domains: &[&str], accounts: &[u64], plans: &[u64]| {
            json!({
                "pool": name, "weight": weight, "first": first, "domains": domains, "accounts": accounts, "plans": plans,
            })
        };
        let pools = [
            pool("all", 3, true, &[], &[], &[]),
            pool("news", 1, false, &["news.example"], &[7], &[2]),
            pool("spare", 1, false, &[], &[], &[]),
        ];
        let blocked = json!([{"site": "google", "until": UNTIL}]);
        let source = || source(json!({"pools": pools, "blocked_by": blocked, "blocked_count": 3}));
        for (language, pools, blocked) in [
            (
                Language::English,
                "<small>all (weight 3)</small><small>for all other mail</small><small>news (weight 1)</small>\
                 <small>for news.example, account 7, plan 2</small><small>spare (weight 1)</small></td>",
                ("google (until ", ") and 2 more</td>"),
            ),
            (
                Language::French,
                "<small>all (poids 3)</small><small>pour tout autre courriel</small><small>news (poids 1)</small>\
                 <small>pour news.example, compte 7, forfait 2</small><small>spare (poids 1)</small></td>",
                ("google (jusqu’au ", ") et 2 autres</td>"),
            ),
        ] {
            let html = html(language, vec![source()]);
            let until = Page::outside(language, "").words.minute(UNTIL);
            assert!(html.contains(pools), "{pools}\n{html}");
            assert!(html.contains(&format!("{}{until}{}", blocked.0, blocked.1)), "{blocked:?}\n{html}");
        }
    }

    #[test]
    fn without_sources_the_page_says_where_they_are_named() {
        for (language, words) in [(Language::English, "No named source"), (Language::French, "Aucune source nommée")] {
            let html = html(language, Vec::new());
            assert!(html.contains(words) && !html.contains("<table"), "{html}");
        }
    }
}
