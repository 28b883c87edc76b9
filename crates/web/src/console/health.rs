//! How a domain fares, as its account sees it: what was looked at, what that means, what to do next.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use relay::power::{Need, Power};
use relay::service::operation::Operation;
use relay::service::view::{DomainHealthView, HealthFindingView};

use super::page::{Failure, Page, shown};
use super::visit::Visit;
use super::words::Words;
use super::{For, Route, show};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show("/domains/{domain}/health", For::Account(Need::Power(Power::Domains)), page)]
}

/// A verdict as its badge shows it: state, icon, word.
type Badge = (&'static str, &'static str, String);

fn badge(words: &Words, verdict: &str) -> Badge {
    let (slug, icon) = match verdict {
        "good" => ("pass", "check"),
        "watch" => ("warning", "alert"),
        "bad" => ("failed", "hard"),
        _ => ("pending", "pending"),
    };
    (slug, icon, words.t(&format!("health-verdict-{verdict}")))
}

/// One thing that was looked at.
struct Row {
    about: String,
    badge: Badge,
    found: String,
    /// What providers have published of it.
    published: Option<Reference>,
    advice: String,
    /// The page where the next step is taken.
    link: Option<(String, String)>,
}

/// A page that says more.
struct Reference {
    words: String,
    source: String,
}

/// The number of a rate, to the hundredth of a per cent, as providers write theirs.
fn percent(words: &Words, rate: f64) -> String {
    format!("{}\u{202f}%", words.hundredths(rate * 100.0))
}

fn row(words: &Words, domain: &str, finding: &HealthFindingView) -> Row {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    let (count, all, rate) =
        (words.number(finding.count), words.number(finding.of), percent(words, finding.rate.unwrap_or_default()));
    let (name, list) = (of(&finding.listed), of(&finding.list));
    let values = [
        ("count", count.as_str()),
        ("of", all.as_str()),
        ("rate", rate.as_str()),
        ("name", name.as_str()),
        ("list", list.as_str()),
    ];
    let subject = finding.code.rsplit_once('-').map_or(finding.code.as_str(), |(subject, _)| subject);
    let published = finding.published_rate.zip(finding.published_at.clone()).map(|(rate, source)| {
        let (rate, by) = (percent(words, rate), of(&finding.published_by));
        Reference { words: words.filled("health-published", &[("rate", &rate), ("provider", &by)]), source }
    });
    let advised = format!("health-do-{}", finding.code);
    let page = match subject {
        "records" | "return-path" | "policy" => Some((format!("/domains/{domain}"), words.t("health-see-domain"))),
        "alignment" => Some((format!("/domains/{domain}/dmarc"), words.t("dmarc-see"))),
        _ => None,
    };
    Row {
        about: words.t(&format!("health-about-{subject}")),
        badge: badge(words, &finding.verdict),
        found: words.filled(&format!("health-{}", finding.code), &values),
        published,
        advice: if finding.advice.is_empty() { String::new() } else { words.t(&advised) },
        link: page.filter(|_| finding.verdict != "good"),
    }
}

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    page: Page,
    domain: String,
    badge: Badge,
    rows: Vec<Row>,
}

async fn page(visit: Visit, Path(domain): Path<String>) -> Result<Response, Failure> {
    let found: DomainHealthView = visit.ask(Operation::DomainHealth { domain }).await?;
    let words = visit.words();
    Ok(shown(&HealthPage {
        badge: badge(words, &found.verdict),
        rows: found.findings.iter().map(|finding| row(words, &found.domain, finding)).collect(),
        domain: found.domain.clone(),
        page: visit.page(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay::language::Language;

    #[test]
    fn every_finding_has_its_words() {
        let codes = [
            "records-right",
            "records-unsigned",
            "records-lost",
            "records-missing",
            "return-path-right",
            "return-path-missing",
            "policy-unknown",
            "policy-broken",
            "policy-absent",
            "policy-open",
            "policy-strict",
            "alignment-unknown",
            "alignment-own",
            "alignment-others",
            "alignment-good",
            "bounces-few",
            "bounces-good",
            "bounces-watch",
            "bounces-bad",
            "complaints-few",
            "complaints-good",
            "complaints-watch",
            "complaints-bad",
            "blocklist-listed",
            "blocklist-clean",
        ];
        for language in [Language::English, Language::French] {
            let words = Words::new(language);
            for code in codes {
                for name in [
                    format!("health-{code}"),
                    format!("health-about-{}", code.rsplit_once('-').map_or("", |two| two.0)),
                ] {
                    assert!(words.has(&name), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_rate_stands_beside_what_was_published() {
        let finding = relay::health::Finding {
            code: "complaints-watch",
            verdict: relay::health::Verdict::Watch,
            count: 25,
            of: 10_000,
            published: relay::health::PUBLISHED.first().copied(),
            listed: None,
        };
        let row = row(&Words::new(Language::English), "shop.example", &HealthFindingView::from(&finding));
        assert!(row.found.contains("0.25\u{202f}%"), "{}", row.found);
        let published = row.published.map(|published| published.words).unwrap_or_default();
        assert!(published.contains("Google") && published.contains("0.10\u{202f}%"), "{published}");
        assert!(!row.advice.is_empty() && row.link.is_none());
    }
}
