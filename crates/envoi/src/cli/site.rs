//! Sites as people read them.

use super::table::{cut, table};
use crate::moment::short;
use relay::service::view::SiteView;

/// The characters of a reply that a line has room for.
const SAID_CHARACTERS: usize = 80;

/// The list.
pub(super) fn list(sites: &[SiteView]) -> String {
    let row = |site: &SiteView| {
        let more = site.domain_count.saturating_sub(site.domains.len() as u64);
        let mut domains = site.domains.join(", ");
        if more > 0 {
            domains.push_str(&format!(" and {more} more"));
        }
        vec![
            site.site.clone(),
            site.state.clone(),
            domains,
            site.waiting.to_string(),
            format!("{}/{}", site.connections, site.connections_allowed),
            site.messages_per_minute.map(|pace| pace.to_string()).unwrap_or_default(),
            site.until.as_deref().map(short).unwrap_or_default(),
            site.said.as_deref().map(|said| cut(said, SAID_CHARACTERS)).unwrap_or_default(),
        ]
    };
    table(
        &["site", "state", "domains", "waiting", "connections", "a minute", "until", "why"],
        sites.iter().map(row),
        "There is no such site.",
    )
}
