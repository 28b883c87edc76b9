//! Orders about a part of the queue: the part is named, counted, confirmed, and dealt with turn after turn.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use relay::clock::Timestamp;
use relay::service::operation::Operation;
use relay::service::view::QueuePartView;
use relay::service::{Fault, QueueOrder, Selection};
use serde::Deserialize;
use std::time::Duration;

use super::{For, Route, Visit, message_of, show, take};
use crate::console::form::Signed;
use crate::console::page::{Failure, Page, shown_as};
use crate::console::refusal::Refusal;

const PAGE: &str = "/operator/queue/orders";

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![show(PAGE, For::Operator, page), take(PAGE, For::Operator, carry_out)]
}

/// The orders that there are, by the word that stands in forms and names of messages.
const ORDERS: [(&str, QueueOrder); 6] = [
    ("hold", QueueOrder::Hold),
    ("release", QueueOrder::Release),
    ("retry", QueueOrder::Retry),
    ("reroute", QueueOrder::Reroute { to: None }),
    ("cancel", QueueOrder::Cancel { notify: true }),
    ("cancel-silently", QueueOrder::Cancel { notify: false }),
];

/// What was typed. A moment stands in the place of the age once that has been looked at.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Given {
    account: String,
    domain: String,
    user: String,
    recipient: String,
    hours: String,
    until: String,
    order: String,
    /// Where what is rerouted goes.
    to: String,
    /// The message that the next turn goes on behind.
    after: String,
    /// What turns before have done.
    done: u64,
    sure: Option<String>,
}

struct Choice {
    word: &'static str,
    label: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "queue-orders.html")]
struct OrdersPage {
    page: Page,
    given: Given,
    choices: Vec<Choice>,
    /// What is about to happen; empty where nothing is named yet.
    asked: Vec<String>,
    /// What was done.
    told: Vec<String>,
    refused: Option<Refusal>,
}

impl OrdersPage {
    fn of(visit: &Visit, given: Given) -> Self {
        let page = visit.page();
        let choice = |(word, _): &(&'static str, QueueOrder)| Choice {
            word,
            label: page.t(&format!("queue-order-{word}")),
            is_chosen: given.order == *word,
        };
        let choices = ORDERS.iter().map(choice).collect();
        OrdersPage { page, given, choices, asked: Vec::new(), told: Vec::new(), refused: None }
    }

    fn refusing(self, fault: &Fault) -> Response {
        let refused = Some(Refusal::of(&self.page.words, fault));
        shown_as(StatusCode::UNPROCESSABLE_ENTITY, &OrdersPage { refused, ..self })
    }
}

impl Given {
    fn order(&self) -> Option<QueueOrder> {
        let (_, order) = ORDERS.into_iter().find(|(word, _)| *word == self.order)?;
        Some(match order {
            QueueOrder::Reroute { .. } => QueueOrder::Reroute { to: Some(self.to.trim().to_owned()) },
            order => order,
        })
    }

    /// What it names, its age as a moment from now on.
    fn selection(&mut self, visit: &Visit) -> Result<Selection, Failure> {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let unclear = |_| Failure::unreadable("A number or a moment of the form is none.");
        let account = text(&self.account).map(|account| account.parse::<u64>()).transpose();
        if let Some(hours) = text(&self.hours) {
            let hours: u64 = hours.parse().map_err(|_| unclear(()))?;
            let ago = Duration::from_secs(hours.saturating_mul(3600)).as_millis();
            let now = visit.console.door.now().0;
            let until = Timestamp(now.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX)));
            self.until = relay::moment::text(until);
            self.hours.clear();
        }
        let until = text(&self.until).map(|until| relay::moment::parse(&until)).transpose();
        Ok(Selection {
            account: account.map_err(|_| unclear(()))?,
            domain: text(&self.domain),
            user: text(&self.user),
            recipient: text(&self.recipient),
            since: None,
            until: until.map_err(|_| unclear(()))?,
        })
    }
}

async fn page(visit: Visit) -> Result<Response, Failure> {
    let asked = |name: &str| visit.asked(name).unwrap_or_default();
    let mut given = Given {
        account: asked("account"),
        domain: asked("domain"),
        user: asked("user"),
        recipient: asked("recipient"),
        hours: asked("hours"),
        order: asked("order"),
        to: asked("to"),
        ..Given::default()
    };
    if given.order().is_none() {
        return Ok(shown_as(StatusCode::OK, &OrdersPage::of(&visit, given)));
    }
    let selection = given.selection(&visit)?;
    let (mut messages, mut recipients, mut after) = (0, 0, None);
    loop {
        let look = Operation::QueueCount { selection: selection.clone(), after };
        let part: QueuePartView = match visit.try_to(look).await? {
            Ok(part) => part,
            Err(fault) => return Ok(OrdersPage::of(&visit, given).refusing(&fault)),
        };
        messages += part.messages;
        recipients += part.recipients;
        match part.next {
            Some(next) => after = Some(message_of(&visit, &next)?),
            None => break,
        }
    }
    let words = visit.words();
    let of = words.count("queue-part-counted-messages", messages);
    let counted = words.count_with("queue-part-counted", recipients, "of", &of);
    let then = words.t(&format!("queue-order-{}-then", given.order));
    let mut shown_page = OrdersPage::of(&visit, given);
    shown_page.asked = vec![counted, then];
    Ok(shown_as(StatusCode::OK, &shown_page))
}

async fn carry_out(Signed { visit, form }: Signed<Given>) -> Result<Response, Failure> {
    let mut given = form;
    let Some(order) = given.order().filter(|_| given.sure.is_some()) else {
        return Err(Failure::unreadable("The form names no order, or is not confirmed."));
    };
    let selection = given.selection(&visit)?;
    let after = Some(given.after.as_str()).filter(|after| !after.is_empty());
    let after = after.map(|after| message_of(&visit, after)).transpose()?;
    let part: QueuePartView = match visit.try_to(Operation::QueueOrder { order, selection, after }).await? {
        Ok(part) => part,
        Err(fault) => return Ok(OrdersPage::of(&visit, given).refusing(&fault)),
    };
    given.done += part.recipients;
    given.after = part.next.unwrap_or_default();
    let words = visit.words();
    let mut told = vec![words.count("queue-part-done", given.done)];
    if part.under_way > 0 {
        told.push(words.count("queue-part-under-way", part.under_way));
    }
    let more = if given.after.is_empty() { "queue-part-all" } else { "queue-part-more" };
    told.push(words.t(more));
    let shown = OrdersPage { told, ..OrdersPage::of(&visit, given) };
    Ok(shown_as(StatusCode::OK, &shown))
}
