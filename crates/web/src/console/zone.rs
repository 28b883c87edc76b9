//! The relay's zone, for the operator: what is published above it, what is in it, and who serves it.

use askama::Template;
use axum::response::Response;
use relay::service::Fault;
use relay::service::operation::Operation;
use relay::service::view::ZoneView;

use super::page::{Failure, Page, shown};
use super::parts::{Parts, file};
use super::visit::Visit;
use super::{For, Route, show};

/// Domains whose records are on one page.
const DOMAINS: u32 = 25;
/// Domains that are read and held at a time for the file.
const DOMAINS_OF_PART: u32 = 500;

const HERE: &str = "/operator/zone";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(HERE, For::Operator, zone_page), show("/operator/zone/file", For::Operator, zone_file)]
}

/// A record that is published outside the zone: its name, type and value.
struct Outside {
    name: String,
    form: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "zone.html")]
struct ZonePage {
    page: Page,
    view: ZoneView,
    /// What leads to the zone from above, and what the relay's name needs.
    outside: Vec<Outside>,
    /// Who answers for the zone, in a sentence.
    served: String,
    lines: String,
    next: Option<String>,
    is_first: bool,
}

/// Whether a name lies in the zone.
fn lies_inside(view: &ZoneView, name: &str) -> bool {
    let rest = view.zone.as_deref().and_then(|zone| name.strip_suffix(zone));
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What the zone's own file does not have: the delegation with its addresses (RFC 1034 §4.2.1), the addresses of the
/// relay's name where that lies elsewhere, and what these addresses are called.
fn outside(view: &ZoneView) -> Vec<Outside> {
    let addresses = |name: &str| {
        let address = |address: &String| Outside {
            name: name.to_owned(),
            form: if address.contains(':') { "AAAA" } else { "A" },
            value: address.clone(),
        };
        view.addresses.iter().map(address).collect::<Vec<_>>()
    };
    let mut records = Vec::new();
    if let Some(zone) = &view.zone {
        for server in &view.name_servers {
            records.push(Outside { name: zone.clone(), form: "NS", value: server.clone() });
            if lies_inside(view, server) {
                records.extend(addresses(server));
            }
        }
    }
    if !lies_inside(view, &view.hostname) {
        records.extend(addresses(&view.hostname));
        records.push(Outside { name: view.hostname.clone(), form: "TXT", value: view.spf.clone() });
    }
    let reverse = |address: &String| Outside { name: address.clone(), form: "PTR", value: view.hostname.clone() };
    records.extend(view.addresses.iter().map(reverse));
    records
}

/// The number behind which a page begins.
fn after(visit: &Visit) -> Option<u64> {
    let (_, query) = visit.here.split_once('?')?;
    query.split('&').find_map(|part| part.strip_prefix("after=")?.parse().ok())
}

async fn zone_page(visit: Visit) -> Result<Response, Failure> {
    let after = after(&visit);
    let view: ZoneView = visit.ask(Operation::ZoneShow { after, limit: DOMAINS }).await?;
    let page = visit.page();
    let served = match (view.served, view.listening.is_empty()) {
        (true, false) => page.with("zone-served", "addresses", &view.listening.join(", ")),
        (true, true) => page.t("zone-served-soon"),
        (false, _) => page.t("zone-served-elsewhere"),
    };
    Ok(shown(&ZonePage {
        outside: outside(&view),
        served,
        lines: view.lines.join("\n"),
        next: view.next.map(|next| format!("{HERE}?after={next}")),
        is_first: after.is_none(),
        view,
        page,
    }))
}

async fn part(visit: &Visit, after: Option<u64>) -> Result<ZoneView, Fault> {
    let asked = Operation::ZoneShow { after, limit: DOMAINS_OF_PART };
    visit.console.door.ask(asked, visit.visitor.identity.clone()).await?.try_into()
}

/// Sends the file, part by part.
async fn send(visit: Visit, first: ZoneView, to: Parts) {
    let mut view = first;
    loop {
        let text: String = view.lines.iter().map(|line| format!("{line}\n")).collect();
        if !to.send(text, view.next.is_none()).await || view.next.is_none() {
            return;
        }
        match part(&visit, view.next).await {
            Ok(next) => view = next,
            Err(fault) => {
                tracing::warn!(why = fault.what, "a zone file broke off");
                return;
            }
        }
    }
}

async fn zone_file(visit: Visit) -> Result<Response, Failure> {
    // what is refused, is refused before anything is sent
    let first = visit.ask(Operation::ZoneShow { after: None, limit: DOMAINS_OF_PART }).await?;
    let (to, answer) = file("text/dns; charset=utf-8", "attachment; filename=\"zone.txt\"");
    crate::background::spawn(send(visit, first, to));
    Ok(answer)
}
