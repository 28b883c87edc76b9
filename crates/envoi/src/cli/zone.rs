//! `envoi zone show`: the zone file, part by part, so that no length of it is held at once.

use relay::service::Fault;
use relay::service::operation::{Answer, Operation};
use relay::service::view::ZoneView;

use super::ask;
use super::run::{Failure, print};
use crate::config::Config;

/// Domains of a part.
pub(super) const DOMAINS: u32 = 500;

/// Prints every part; as JSON, one object for each.
pub(super) async fn show(config: &Config, json: bool) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let part: ZoneView = ask::ask(config, Operation::ZoneShow { after, limit: DOMAINS }).await?.try_into()?;
        if part.zone.is_none() {
            return Err(none().into());
        }
        let text = if json { Answer::Zone(part.clone()).json() } else { part.lines.join("\n") };
        print(&text);
        if part.next.is_none() {
            return Ok(());
        }
        after = part.next;
    }
}

fn none() -> Fault {
    let remedy = "Name a zone that is for the relay alone, with `name` below [zone].";
    Fault::not_found("The relay has no zone: domains publish TXT and MX records themselves.", remedy)
}
