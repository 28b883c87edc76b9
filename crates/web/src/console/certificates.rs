//! The certificates that clients are shown, for the operator: their end, and how the next one comes.

use askama::Template;
use axum::response::Response;
use relay::service::operation::Operation;
use relay::service::view::{CertificateView, DoneView};

use super::form::Signed;
use super::page::{Failure, Page, shown};
use super::question::Pressed;
use super::refusal::Refusal;
use super::sayings;
use super::visit::{Visit, on_to};
use super::{For, Route, show, take};

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        show("/operator/certificates", For::Operator, certificates),
        take("/operator/certificates/renew", For::Operator, renew),
    ]
}

struct Row {
    certificate: CertificateView,
    /// The state as a badge.
    slug: &'static str,
    icon: &'static str,
    state: String,
    ends: String,
    left: String,
    /// How it is renewed.
    renewal: String,
    /// Why the last order failed.
    fault: Option<Refusal>,
}

#[derive(Template)]
#[template(path = "certificates.html")]
struct CertificatesPage {
    page: Page,
    rows: Vec<Row>,
    /// Whether one comes by itself, so that it can be ordered.
    is_automatic: bool,
}

/// Slug and icon of the badge, and the name of its words.
pub(super) fn state(certificate: &CertificateView) -> (&'static str, &'static str, &'static str) {
    match certificate.alarm.as_deref() {
        _ if certificate.automatic && certificate.self_signed => ("failed", "hard", "certificate-stands-in"),
        Some("ended") => ("failed", "hard", "certificate-ended"),
        Some(_) => ("warning", "alert", "certificate-ends-soon"),
        None => ("validated", "delivered", "certificate-good"),
    }
}

fn row(page: &Page, certificate: CertificateView) -> Row {
    let (slug, icon, words) = state(&certificate);
    let renewal = match &certificate.renews_at {
        _ if certificate.ordering => page.t("certificate-ordering"),
        Some(at) => page.with("certificate-ordered-at", "moment", &page.words.minute(at)),
        None => page.t("certificate-by-hand"),
    };
    Row {
        slug,
        icon,
        state: page.t(words),
        ends: page.words.minute(&certificate.ends_at),
        left: page.words.count("certificate-left", certificate.days_left),
        renewal,
        fault: certificate.fault.as_deref().map(|fault| sayings::said(&page.words, fault)),
        certificate,
    }
}

async fn certificates(visit: Visit) -> Result<Response, Failure> {
    let found: Vec<CertificateView> = visit.ask(Operation::CertificateList).await?;
    let page = visit.page();
    let is_automatic = found.iter().any(|certificate| certificate.automatic);
    let rows = found.into_iter().map(|certificate| row(&page, certificate)).collect();
    Ok(shown(&CertificatesPage { rows, is_automatic, page }))
}

async fn renew(Signed { visit, .. }: Signed<Pressed>) -> Result<Response, Failure> {
    visit.ask::<DoneView>(Operation::CertificateRenew).await?;
    Ok(on_to("/operator/certificates"))
}
