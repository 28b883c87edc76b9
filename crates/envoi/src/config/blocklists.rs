//! `[blocklists]`: which lists in DNS are asked.

use net::blocklists::Lists;

use super::read::Tree;

/// The lists; none where none is named.
pub(super) fn read(tree: &Tree) -> Lists {
    let table = tree.table("blocklists");
    let zones = |key| table.names(key).unwrap_or_default();
    Lists { addresses: zones("addresses"), domains: zones("domains") }
}
